import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { findBroker, NO_BROKER } from './kafka/broker.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** host:port of the test broker, or null when there is none. */
    brokers: string | null;
  }
}

const root = resolve(import.meta.dirname, '..');

/** Once per run: builds what tests spawn, and starts the one broker that they share; each only if a test of this run asks for it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // the patterns of the command line; vitest does not declare them, and without them all files count
  const { filenamePattern } = project.vitest as unknown as { readonly filenamePattern?: string[] };
  const { testFiles } = await project.globTestFiles(filenamePattern);
  const texts = testFiles.map(f => readFileSync(f, 'utf8'));
  if (texts.some(t => /\bdist\b/.test(t))) build();
  const wanted = texts.some(t => /inject\('brokers'\)|\/support\.ts'/.test(t) && /kafka/i.test(t));
  const broker = wanted ? await findBroker() : null;
  if (wanted && broker === null) process.stderr.write(`${NO_BROKER}\n`);
  project.provide('brokers', broker === null ? null : broker.address);
  return async () => broker?.stop();
}

/** `tsc` when a source is newer than what was built. */
function build(): void {
  const main = join(root, 'dist/cli/main.js');
  const newest = (dir: string, ext: string): number => readdirSync(join(root, dir), { recursive: true, encoding: 'utf8' })
    .filter(f => f.endsWith(ext)).reduce((t, f) => Math.max(t, statSync(join(root, dir, f)).mtimeMs), 0);
  if (existsSync(main) && newest('dist', '.js') >= newest('src', '.ts')) return;
  const r = spawnSync('node', [join(root, 'node_modules/typescript/bin/tsc')], { cwd: root, encoding: 'utf8' });
  if (r.status !== 0) process.stderr.write(`tsc found problems; what it wrote is used:\n${r.stdout.slice(0, 2000)}\n`);
  chmodSync(main, 0o755);
}
