import { afterEach, beforeEach, expect, it } from 'vitest';
import { actualRows, cases, expectedRows, pipelineOf, record } from '../cases/case.ts';
import { Project } from '../e2e/project.ts';

let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

const env = { NODE_OPTIONS: '--disallow-code-generation-from-strings' };
const supported = cases.filter(c => !/^(expr-string-regexp|json-value|session-out-of-order-merge|over-|topn-global|dedup-first|join-|union-all|except)/.test(c.name)).filter((_, i) => i % 4 === 0);

it(`a Node that makes no code from text gives the right rows of ${supported.length} cases and both shipped pipelines`, async () => {
  const shipped = await p.run(['run', 'pipelines/', '--json'], { env });
  const usual = await p.run(['run', 'pipelines/', '--json', '--data-dir', '.usual'], { env: { NODE_OPTIONS: '' } });
  expect([shipped.code, [...shipped.lines].sort()]).toEqual([0, [...usual.lines].sort()]);
  expect(shipped.lines.length).toBeGreaterThan(600);
  for (const c of supported) {
    const dir = `.${c.name}`;
    p.write('case.yaml', pipelineOf(c, 'case'));
    for (const [topic, s] of Object.entries(c.sources)) await p.run(['topics', 'send', topic, '--partition', '0', '--data-dir', dir], { input: s.rows.map(r => `${record(r)}\n`).join('') });
    const r = await p.run(['run', 'case.yaml', '--until-end', '--data-dir', dir], { env });
    expect([r.code, r.err.includes('error')], r.err).toEqual([0, false]);
    expect(actualRows(c, r.lines), c.name).toEqual(expectedRows(c));
  }
});

it('what insists on generated code is told why there is none', async () => {
  for (const args of [['run', 'balances.yaml', '--jit=on'], ['explain', 'balances.yaml', '--phase', 'code']]) {
    const r = await p.run(args, { env });
    expect([r.code, r.err]).toEqual([2, expect.stringContaining('this Node makes no code from text (--disallow-code-generation-from-strings)')]);
  }
});
