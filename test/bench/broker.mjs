import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const KAFKA = fileURLToPath(new URL('../kafka/', import.meta.url));
const OPTIONS = ['--ignoreConfig', '--target', 'es2023', '--module', 'nodenext', '--types', 'node', '--rewriteRelativeImportExtensions', '--skipLibCheck', '--noCheck'];

/**
 * The broker of the tests ({address, stop()}; null where there is none): PIPE_TEST_BROKERS, else one of our own. It is written in TypeScript,
 * which Node 20 does not run, so it is compiled into `dir`, a folder inside the package.
 */
export async function findBroker(dir) {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const out = join(dir, 'broker');
  const r = spawnSync(process.execPath, [tsc, ...OPTIONS, '--outDir', out, join(KAFKA, 'broker.ts')], { cwd: KAFKA, encoding: 'utf8' });
  if (r.status !== 0) throw new Error(`test/kafka/broker.ts does not compile:\n${r.stdout}${r.stderr}`);
  cpSync(join(KAFKA, 'pom.xml'), join(out, 'pom.xml'));
  const module = await import(pathToFileURL(join(out, 'broker.js')).href);
  return module.findBroker();
}
