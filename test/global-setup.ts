import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
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
  if (texts.some(t => /\bdist\b|\/stage\.ts'/.test(t))) build();
  const wanted = texts.some(t => /inject\('brokers'\)|\/support\.ts'/.test(t) && /kafka/i.test(t));
  const broker = wanted ? await findBroker() : null;
  if (wanted && broker === null) process.stderr.write(`${NO_BROKER}\n`);
  project.provide('brokers', broker === null ? null : broker.address);
  return async () => broker?.stop();
}

/** As `npm run prepare`, when a source is newer than what was built, or `tsc` alone has run since. */
function build(): void {
  const time = (file: string): number => statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(f => /\.\w+$/.test(f)).map(f => `src/${f}`);
  // the build of the page writes this one last
  const built = time('dist/dashboard/LICENSES.txt');
  if ([...sources, 'dist/cli/main.js'].every(f => time(f) <= built)) return;
  const node = (file: string): SpawnSyncReturns<string> => spawnSync('node', [join(root, file)], { cwd: root, encoding: 'utf8' });
  const tsc = node('node_modules/typescript/bin/tsc');
  if (tsc.status !== 0) process.stderr.write(`tsc found problems; what it wrote is used:\n${tsc.stdout.slice(0, 2000)}\n`);
  for (const file of ['src/bundle.mjs', 'src/dashboard/build.mjs']) {
    const made = node(file);
    if (made.status !== 0) throw new Error(`${file} failed:\n${made.stderr.slice(0, 2000)}`);
  }
}
