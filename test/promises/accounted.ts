import { whole } from '../random.ts';
import { GENERATED } from '../no-codegen.ts';
import { compiled, MemoryRun, type MemoryRecord } from './memory-run.ts';
import type { Promised } from './promise.ts';

const START = Date.UTC(2024, 0, 1);
const DELAY = 2000;
const PARTITIONS = 2;

/** Two sources; one is read by two operators and a stage, the other by one; rows fail in WHERE, in arguments and behind the grouping. */
const PIPELINE = `name: mix
sources:
  a:
    schema: k STRING, v INT, d INT, at BIGINT
    event_time: {from: at, unit: ms, delay: ${DELAY}ms}
  b:
    schema: k STRING, v INT, d INT, at BIGINT
    event_time: {from: at, unit: ms, delay: ${DELAY}ms}
sinks:
  sums:
    sql: SELECT k, COUNT(*) AS n, SUM(v / d) AS q FROM a WHERE v >= 10 GROUP BY k, TUMBLE(ts, INTERVAL '4' SECOND)
  hops:
    sql: SELECT k, COUNT(*) AS n FROM a WHERE 100 / d > 0 GROUP BY k, HOP(ts, INTERVAL '2' SECOND, INTERVAL '6' SECOND)
  rows:
    sql: SELECT k, v / d AS q FROM a WHERE v < 90
  later:
    sql: SELECT k, COUNT(*) AS n, 10 / (COUNT(*) - 1) AS q FROM b GROUP BY k, TUMBLE(ts, INTERVAL '4' SECOND)
`;

interface Event {
  readonly v: number;
  readonly d: number;
  readonly at: number;
}

/** What becomes of a record, by how it was made; the model knows nothing of pipe. */
interface Sent extends MemoryRecord {
  /** null: it is no row. */
  readonly event: Event | null;
  readonly future: boolean;
}

function stream(pick: ReturnType<typeof whole>, n: number): Sent[] {
  let t = START;
  return Array.from({ length: n }, (): Sent => {
    t += pick(300);
    const partition = pick(PARTITIONS);
    const kind = pick(20);
    if (kind === 0) return { partition, value: ['', 'hello', '{"at":"soon"}', '{"k":"x","at":[]}', '[]', '{"k":"x"'][pick(6)] as string, timestamp: t, event: null, future: false };
    const future = kind === 1;
    const event = { v: pick(100), d: pick(4), at: future ? t + 7_200_000 : t - pick(9000) };
    return { partition, value: JSON.stringify({ k: `k${pick(3)}`, ...event }), timestamp: t, event, future };
  });
}

/** Rows that reach an operator. */
const decoded = (sent: readonly Sent[]): Event[] => sent.flatMap(s => (s.event === null || s.future ? [] : [s.event]));

/** A round is one run over random records of two sources with every kind of record among them. */
export const accounted: Promised = {
  id: 'P17',
  promise: 'every record is used, filtered, late, from the future or dead, under one reason each: by source and by operator nothing is left over',
  must: { unaccounted: 0, twice: 0 },
  async run({ rounds, seed }, wrong = []) {
    const pick = whole(seed);
    const c = compiled(PIPELINE);
    const idOf = (query: string, kind: 'stage' | 'aggregate'): string => c.plan.operators.find(o => o.query === query && o.k === kind)?.id ?? '';
    const found = { records: 0, used: 0, filtered: 0, late: 0, future: 0, dead: 0, unaccounted: 0, twice: 0 };
    for (let n = 0; n < rounds; n++) {
      const [a, b] = [stream(pick, 200 + pick(300)), stream(pick, 100 + pick(100))] as const;
      const run = new MemoryRun(c, PARTITIONS, { batch: [1, 7, 8192][pick(3)] as number, most: 1 + pick(100), jit: pick(3) === 0 && GENERATED });
      run.send('a', a);
      run.send('b', b);
      const { rows, counts, letters } = await run.toEnd();
      const lettersOf = (code: RegExp, operator: string | null, topic: string): number => letters.filter(l => code.test(l.code) && l.operator === operator && l.topic === topic).length;
      const same = (what: string, is: number, should: number): void => {
        if (is === should) return;
        found.unaccounted += Math.abs(is - should);
        wrong.push(`run ${n}: ${what}: ${is} instead of ${should}`);
      };
      const numbers = (topic: string): number[] => (rows[topic] as string[]).map(r => (JSON.parse(r) as { n: number }).n);
      const total = (xs: readonly number[]): number => xs.reduce((s, x) => s + x, 0);

      // records: read = rows + undecodable + future
      const bad = [...a, ...b].filter(s => s.event === null).length;
      const future = [...a, ...b].filter(s => s.future).length;
      same('records in', counts['records_in'] as number, a.length + b.length);
      same('undecodable', counts['undecodable'] as number, bad);
      same('future', counts['future'] as number, future);
      const [rowsA, rowsB] = [decoded(a), decoded(b)];

      // operators: rows in = used + filtered + late + failed
      const sums = idOf('sums', 'aggregate');
      const filteredSums = rowsA.filter(e => e.v < 10).length;
      const [lateSums, failedSums] = [lettersOf(/late/, sums, 'a'), lettersOf(/division/, sums, 'a')];
      same('sums', total(numbers('sums')) + filteredSums + lateSums + failedSums, rowsA.length);
      const hops = idOf('hops', 'aggregate');
      const [lateHops, failedHops] = [lettersOf(/late/, hops, 'a'), lettersOf(/division/, hops, 'a')];
      const zero = rowsA.filter(e => e.d === 0).length;
      same('hops: rows that fail in WHERE', failedHops, zero);
      // a row is in three windows, less where some of them are closed
      const usedHops = rowsA.length - zero - lateHops;
      const inWindows = total(numbers('hops'));
      if (inWindows < usedHops || inWindows > 3 * usedHops) same('hops', inWindows, usedHops);
      const stage = idOf('rows', 'stage');
      const filteredRows = rowsA.filter(e => e.v >= 90).length;
      same('rows', (rows['rows'] as string[]).length + filteredRows + lettersOf(/division/, stage, 'a'), rowsA.length);
      const later = idOf('later', 'aggregate');
      const lateLater = lettersOf(/late/, later, 'b');
      // groups of one fail behind the grouping, as rows that are no records
      const ones = letters.filter(l => l.code === 'user.data.division_by_zero' && l.topic === 'b' && l.offset < 0).length;
      same('later', total(numbers('later')) + ones + lateLater, rowsB.length);

      // and the totals say what the parts say
      const late = lateSums + lateHops + lateLater;
      const failed = letters.filter(l => l.code === 'user.data.division_by_zero').length;
      same('late in all', counts['late'] as number, late);
      same('failed in all', counts['failed'] as number, failed);
      same('filtered in all', counts['filtered'] as number, filteredSums + filteredRows);
      same('dead letters', letters.length, bad + future + late + failed);
      same('rows out', counts['rows_out'] as number, Object.values(rows).reduce((s, r) => s + r.length, 0));
      const once = new Set(letters.filter(l => l.offset >= 0).map(l => `${l.topic}/${l.partition}/${l.offset} ${l.operator}`));
      const twice = letters.filter(l => l.offset >= 0).length - once.size;
      if (twice > 0) wrong.push(`run ${n}: ${twice} records have two reasons`);
      found.records += a.length + b.length;
      found.used += total(numbers('sums')) + usedHops + (rows['rows'] as string[]).length + total(numbers('later')) + ones;
      found.filtered += counts['filtered'] as number;
      found.late += late;
      found.future += future;
      found.dead += bad + failed;
      found.twice += twice;
    }
    return found;
  },
};
