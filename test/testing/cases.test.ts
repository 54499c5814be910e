import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compilePipeline } from '../../src/config/compile.ts';
import { loadPipeline } from '../../src/config/load.ts';
import { Coverage } from '../../src/testing/coverage.ts';
import { Harness } from '../../src/testing/harness.ts';
import { actualRows, cases, expectedRows, pipelineOf, record, type Case } from '../cases/case.ts';

const supported = cases.filter(c => !/^(expr-string-regexp|json-value|session-out-of-order-merge|over-|topn-global|dedup-first|join-|union-all|except)/.test(c.name));

/** Rows of a case, its records sent one by one; `restarts`: the pipeline starts again behind each. */
async function rowsOf(c: Case, restarts: boolean): Promise<string[]> {
  const dir = import.meta.dirname;
  const compiled = compilePipeline(loadPipeline(join(dir, 'p.yaml'), { env: {}, root: dir, text: pipelineOf(c, 'case') }));
  const h = new Harness(restarts ? new Coverage('p.yaml').watch(compiled) : compiled, { partitions: 1, now: null });
  try {
    for (const [source, s] of Object.entries(c.sources)) {
      for (const r of s.rows) {
        await h.send(source, [{ key: null, value: Buffer.from(record(r)), headers: [], partition: null, timestamp: null }]);
        if (restarts) await h.restart();
      }
    }
    await h.finish();
    return actualRows(c, h.written('out').map(r => String(r.value)));
  } finally {
    await h.close();
  }
}

/** On the log and the state that tests have, the rows are another engine's. */
describe.each([[false, 'read to the end'], [true, 'restarted behind each record, every expression watched']] as const)('cases', (restarts, how) => {
  it.each(supported.map(c => [c.name, c] as const))(`%s, ${how}`, async (_, c) => {
    expect(await rowsOf(c, restarts)).toEqual(expectedRows(c));
  });
});
