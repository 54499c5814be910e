import { spawn } from 'node:child_process';
import { root } from '../e2e/project.ts';

/** Runs Node to its end, or that of this process; what it printed to stdout and stderr. */
export const node = (argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<{ readonly code: number | null; readonly out: string }> => new Promise((resolve, reject) => {
  const child = spawn(process.execPath, argv, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const end = (): void => { child.kill(); };
  process.on('exit', end);
  let out = '';
  for (const s of [child.stdout, child.stderr]) s.on('data', (chunk: Buffer) => { out += chunk.toString(); });
  child.on('error', reject);
  child.on('close', code => {
    process.off('exit', end);
    resolve({ code, out });
  });
});
