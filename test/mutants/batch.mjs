// Runs the mutants that it is given on stdin: their code is changed as it is loaded, no file is touched.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { createServer, createServerModuleRunner } from 'vite';
import { createVitest } from 'vitest/node';

const root = resolve(import.meta.dirname, '../..');
const list = JSON.parse(await text(process.stdin));
const seeds = Number(process.env['PIPE_SIM_SEEDS'] ?? 600);
const SIM = 'test/sim/sim.test.ts';
let mutant = null;
// as test/vitest.config.ts has it, for the simulation
process.env['PIPE_POISON'] = '1';

const plugin = {
  name: 'mutant', enforce: 'pre',
  transform: (code, id) => (mutant !== null && id.split('?')[0] === resolve(root, mutant.file) ? { code: code.replace(mutant.find, () => mutant.replace), map: null } : null),
};
const server = await createServer({ configFile: false, root, logLevel: 'silent', appType: 'custom', plugins: [plugin], server: { middlewareMode: true, hmr: false, watch: null, ws: false }, optimizeDeps: { noDiscovery: true } });
const { ssr } = server.environments;
let vitest = null;

/** The simulation needs no test runner, whose start would take longer than most of its runs. */
async function simulation() {
  const runner = createServerModuleRunner(ssr, { hmr: false });
  try {
    const { firstProblem } = await runner.import('/test/sim/main.ts');
    return await firstProblem(seeds);
  } finally {
    await runner.close();
  }
}

/** What failed in a test file, null for nothing. */
async function testFile(file) {
  vitest ??= await createVitest('test', {
    root, config: resolve(root, 'test/vitest.config.ts'), watch: false, reporters: [{}], bail: 1, globalSetup: [], provide: { brokers: null }, pool: 'forks', maxWorkers: 1, fileParallelism: false,
  }, { plugins: [plugin] });
  vitest.invalidateFile(resolve(root, mutant.file));
  const specs = (await vitest.globTestSpecifications([file])).filter(s => s.moduleId.endsWith(file));
  if (specs.length === 0) return `there is no ${file}`;
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specs, false);
  const [ran] = testModules.filter(t => specs.some(s => s.moduleId === t.moduleId));
  const errors = unhandledErrors.length;
  vitest.state.clearErrors();
  const mutated = resolve(root, mutant.file);
  mutant = null;
  vitest.invalidateFile(mutated);
  if (ran === undefined || [...ran.children.allTests()].length === 0) return `${file} does not load`;
  return ran.state() === 'failed' || errors > 0 ? file : null;
}

for (const m of list) {
  const began = performance.now();
  const say = (result, by) => process.stdout.write(`@@${JSON.stringify({ name: m.name, result, by, seconds: (performance.now() - began) / 1000 })}\n`);
  const found = readFileSync(resolve(root, m.file), 'utf8').split(m.find).length - 1;
  if (found !== 1) { say('BROKEN', `its text is ${found} times in ${m.file}`); continue; }
  let by = null;
  for (const file of m.killedBy) {
    mutant = m;
    const touched = ssr.moduleGraph.getModulesByFile(resolve(root, m.file)) ?? [];
    for (const t of touched) ssr.moduleGraph.invalidateModule(t);
    by = file === SIM ? await simulation() : await testFile(file);
    mutant = null;
    for (const t of ssr.moduleGraph.getModulesByFile(resolve(root, m.file)) ?? []) ssr.moduleGraph.invalidateModule(t);
    if (by !== null) break;
  }
  if (by !== null && /^there is no|does not load$/.test(by)) say('BROKEN', by);
  else say(by === null ? 'SURVIVED' : 'KILLED', by ?? m.killedBy.join(', '));
}
await vitest?.close();
await server.close();
