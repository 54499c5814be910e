import { spawn } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { main, Project } from './project.ts';

// the built command (dist), started by something that is killed
let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

/** A parent that waits for generate, as npx does, and is killed. Whether generate is gone 5 s later. */
async function outlived(env: Record<string, string>): Promise<boolean> {
  const { npm_command, ...clean } = process.env;
  const parent = spawn('sh', ['-c', '"$0" "$1" generate notes --rate 50/s & echo $!; wait', process.execPath, main], { cwd: p.dir, env: { ...clean, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  parent.stdout.setEncoding('utf8').on('data', (t: string) => { out += t; });
  parent.stderr.setEncoding('utf8').on('data', (t: string) => { err += t; });
  const until = async (met: () => boolean, ms: number): Promise<boolean> => {
    for (const end = performance.now() + ms; !met(); await new Promise(r => setTimeout(r, 20))) if (performance.now() > end) return false;
    return true;
  };
  expect(await until(() => err.includes('Ctrl-C stops'), 20_000)).toBe(true);
  const child = Number(out);
  const alive = (): boolean => { try { return process.kill(child, 0); } catch { return false; } };
  parent.kill('SIGKILL');
  const ended = await until(() => !alive(), 5000);
  if (!ended) process.kill(child, 'SIGKILL');
  else expect(err).toMatch(/\n\d+ records? sent to notes\n$/);
  return !ended;
}

it('generate ends with the npx that started it, and goes on without a shell', async () => {
  expect([await outlived({ npm_command: 'exec' }), await outlived({})]).toEqual([false, true]);
}, 60_000);
