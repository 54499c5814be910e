// Runs the mutants that it is given on stdin: their code is changed as it is loaded, no file is touched.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { createVitest } from 'vitest/node';

const root = resolve(import.meta.dirname, '../..');
const list = JSON.parse(await text(process.stdin));
let mutant = null;
process.env['PIPE_SIM_SEEDS'] ??= '400';

const vitest = await createVitest('test', {
  root, config: resolve(root, 'test/vitest.config.ts'), watch: false, reporters: [{}], bail: 1, globalSetup: [], provide: { brokers: null }, pool: 'forks', maxWorkers: 1, fileParallelism: false, passWithNoTests: true,
}, {
  plugins: [{
    name: 'mutant', enforce: 'pre',
    transform: (code, id) => (mutant !== null && id.split('?')[0] === resolve(root, mutant.file) ? { code: code.replace(mutant.find, () => mutant.replace), map: null } : null),
  }],
});

for (const m of list) {
  const began = performance.now();
  mutant = m;
  const say = (result, by) => process.stdout.write(`@@${JSON.stringify({ name: m.name, result, by, seconds: (performance.now() - began) / 1000 })}\n`);
  const found = readFileSync(resolve(root, m.file), 'utf8').split(m.find).length - 1;
  if (found !== 1) { say('BROKEN', `its text is ${found} times in ${m.file}`); continue; }
  vitest.invalidateFile(resolve(root, m.file));
  let by = null;
  let ran = 0;
  for (const file of m.killedBy) {
    const specs = await vitest.globTestSpecifications([file]);
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specs, false);
    for (const t of testModules) {
      ran += [...t.children.allTests()].length;
      if (t.state() === 'failed') by = file;
    }
    if (unhandledErrors.length > 0) by ??= file;
    vitest.state.clearErrors();
    if (by !== null) break;
  }
  mutant = null;
  vitest.invalidateFile(resolve(root, m.file));
  if (by !== null && ran === 0) say('BROKEN', `${by} does not load`);
  else say(by === null ? 'SURVIVED' : 'KILLED', by ?? m.killedBy.join(', '));
}
await vitest.close();
