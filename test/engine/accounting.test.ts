import { expect, it } from 'vitest';
import { RunAccounting } from '../../src/engine/accounting.ts';
import { recordsFrom } from '../../src/engine/block.ts';
import type { PartOptions } from '../../src/engine/ports.ts';
import { formats } from '../../src/formats/index.ts';
import { memoryState } from '../state/memory.ts';
import { batchFor, pipelineOf } from './graph-of.ts';

const c = pipelineOf("SELECT k, COUNT(*) AS n FROM a GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)");
const books = (onError: PartOptions['onError']): RunAccounting =>
  new RunAccounting({ spec: c.spec, plan: c.plan, store: memoryState(), formats, jit: false, onError, resume: null, partitions: new Map(), now: () => 0, warn: () => undefined });

it('keeps the bytes of a bad record, whatever its buffer is used for later', () => {
  const a = books(null);
  const records = recordsFrom([{ key: 'key', value: 'no json' }], 'a', 2, 7);
  a.undecodable('a', records, 0, 'user.data.decode', 'not JSON');
  records.data.fill(0);
  const [letter] = a.takeDeadLetters();
  expect([String(letter?.key), String(letter?.value), letter?.partition, letter?.offset]).toEqual(['key', 'no json', 2, 7]);
  expect(a.takeDeadLetters()).toEqual([]);
});

it('is not stopped by late rows, and is by a record that cannot be read', () => {
  const a = books('stop');
  const records = recordsFrom([{ key: null, value: '{"k":"a","at":1}' }], 'a', 0, 3);
  a.late(c.plan.operators[0]?.id ?? '', batchFor(c, [{ at: 1 }], records), 0);
  expect(a.counts().late).toBe(1);
  expect(a.takeDeadLetters().map(l => [l.code, l.offset])).toEqual([['user.data.late', 3]]);
  expect(() => a.undecodable('a', records, 0, 'user.data.decode', 'not JSON')).toThrow('not JSON at a/0 offset 3');
});
