// npm run sim -- --seed N [--verbose], or --seeds N [--from N] [--threads N] [--most N]
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { rolldown } from 'rolldown';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

/** As one file: modules of a test runner look up every import each time it is used. */
async function bundle(dir) {
  const file = join(dir, 'main.mjs');
  const build = await rolldown({ input: join(here, 'main.ts'), cwd: root, platform: 'node', external: id => !/^[./]/.test(id) });
  await build.write({ file, format: 'esm', codeSplitting: false });
  await build.close();
  copyFileSync(join(here, 'seeds.txt'), join(dir, 'seeds.txt'));
  return pathToFileURL(file).href;
}

/** Every `parts`-th seed, in a thread of its own: what it counted. */
const part = (data, argv) => new Promise((done, failed) => {
  new Worker(new URL(import.meta.url), { workerData: data, argv }).once('message', done).once('error', failed);
});

async function main(argv) {
  // inside the project, where the packages that it imports are found
  mkdirSync(join(root, '.pipe'), { recursive: true });
  const dir = mkdtempSync(join(root, '.pipe/sim-'));
  try {
    const file = await bundle(dir);
    const { command } = await import(file);
    return await command(argv, threads => Promise.all(Array.from({ length: threads }, (_, k) => part({ file, k, parts: threads }, argv))));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

// as test/vitest.config.ts has it
process.env['PIPE_POISON'] = '1';
if (isMainThread) process.exitCode = await main(process.argv.slice(2));
else parentPort.postMessage(await (await import(workerData.file)).runPart(process.argv.slice(2), workerData.k, workerData.parts));
