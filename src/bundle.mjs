/**
 * node src/bundle.mjs
 *
 * Puts the command, the file of its worker threads, that of its state process and sqlpipe/testing, as few modules, over what tsc
 * made of them: loading some 180 modules takes longer than most commands. yaml is inside; all else stays in node_modules. Files in
 * dist/: cli/main.js, cli/run-worker.js, cli/state-process.js, testing.js with its types, chunks/.
 */
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { licences } from './licences.mjs';

const home = name => fileURLToPath(new URL(`../${name}`, import.meta.url));
const src = name => home(`src/${name}.ts`);
const yaml = dirname(createRequire(import.meta.url).resolve('yaml/package.json'));

/** Files that are loaded together. A module lies in the chunk of all families that need it, so that none loads what it does not need. */
const FAMILIES = {
  pipeline: ['cli/load-compiled', 'cli/explain', 'cli/validate'],
  jobs: ['cli/status', 'cli/stop', 'cli/explain-live'],
  run: ['cli/run', 'cli/run-parts', 'connectors/log/log'],
  worker: ['cli/run-worker'],
  'state-process': ['cli/state-process', 'ui/state-worker'],
  topics: ['cli/topics', 'cli/topics-send', 'cli/generate', 'connectors/log/log'],
  testing: ['cli/test', 'cli/testing'],
  state: ['cli/state-ls', 'cli/state-query', 'engine/state-tables', 'state/reader'],
  backup: ['cli/state-backup', 'cli/state-restore', 'cli/state-reset', 'connectors/log/snapshot'],
  dlq: ['cli/dlq-ls', 'cli/dlq-show', 'cli/dlq-replay', 'cli/dlq-drop', 'connectors/log/log'],
  ui: ['cli/ui', 'cli/run-ui'],
  init: ['cli/init'],
  config: ['cli/config'],
  completion: ['cli/completion'],
  doctor: ['cli/doctor', 'cli/doctor-state'],
  kafka: ['connectors/kafka/log', 'cli/doctor-kafka'],
};

/** All that the files `names` import, and what that imports; `module` looks one up. */
function closure(names, module) {
  const seen = new Set();
  const visit = id => {
    const info = module(id);
    if (info === null || seen.has(id)) return;
    seen.add(id);
    info.importedIds.forEach(visit);
  };
  names.map(src).forEach(visit);
  return seen;
}

/** The chunk of a module; null: its own, or that of the only file that imports it. */
function chunks() {
  let families;
  return (id, graph) => {
    const module = name => graph.getModuleInfo(name);
    const { isEntry, importers, dynamicImporters } = module(id);
    if (isEntry || (importers.length === 0 && dynamicImporters.length > 0)) return null;
    families ??= new Map(Object.entries({ base: ['cli/main'], ...FAMILIES }).map(([name, files]) => [name, closure(files, module)]));
    const of = [...families.keys()].filter(name => families.get(name).has(id));
    return of[0] === 'base' ? 'base' : of.join('-') || null;
  };
}

/** V8 reads plain ASCII faster; the text holds no raw templates, where an escape would stand as it is written. */
const ascii = code => code.replace(/[^\x00-\x7f]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

const build = await rolldown({
  input: { main: src('cli/main'), 'run-worker': src('cli/run-worker'), 'state-process': src('cli/state-process'), testing: src('cli/testing') },
  platform: 'node',
  external: [/^node:/, 'zstddec'],
  // as modules it needs no wrapper for each of its files
  resolve: { alias: { yaml: join(yaml, 'browser/dist/index.js') } },
  preserveEntrySignatures: 'allow-extension',
  onLog: (_, { message }) => { throw new Error(message); },
});
const { output } = await build.generate({
  entryFileNames: chunk => (chunk.name === 'testing' ? 'testing.js' : 'cli/[name].js'),
  chunkFileNames: 'chunks/[name].js',
  comments: { legal: true, annotation: false, jsdoc: false },
  codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: chunks(), debugName: 'families' }] },
});
await build.close();
rmSync(home('dist/chunks'), { recursive: true, force: true });
mkdirSync(home('dist/chunks'));
for (const { fileName, code } of output) writeFileSync(home(`dist/${fileName}`), ascii(code));
writeFileSync(home('dist/chunks/LICENSES.txt'), licences(output).join('\n'));
// it holds types only
copyFileSync(src('testing/api'), home('dist/testing.d.ts'));
chmodSync(home('dist/cli/main.js'), 0o755);
