import { compilePipeline, type CompiledPipeline } from '../../src/config/compile.ts';
import { loadPipeline } from '../../src/config/load.ts';
import { BASE, type World } from './world.ts';

export interface Row {
  readonly k: string | null;
  readonly v: number | null;
  readonly cents: number | null;
  /** Epoch ms. */
  readonly at: number;
}

/** One record of an input topic; `row` is null where it is none. */
export interface Input {
  readonly source: number;
  readonly partition: number;
  readonly value: string;
  readonly row: Row | null;
  readonly kind: 'row' | 'bad' | 'future';
}

/** What a pipeline must have made of its inputs. */
export interface Expected {
  /** Values by sink topic, in no order. */
  readonly out: ReadonlyMap<string, readonly string[]>;
  readonly filtered: number;
  /** Records that no window took. */
  readonly late: readonly Input[];
}

export interface Shape {
  readonly name: string;
  /** Partitions of each source. */
  readonly sources: readonly string[];
  readonly sinks: readonly string[];
  /** Under `steps:` and `sinks:`. */
  readonly sql: string;
  /** Each row is in one window, and in nothing else: then what is late can be taken out of the oracle. */
  readonly tumbling: boolean;
  /** Sources whose event time nothing asks for: no event of theirs is late, or from the future. */
  readonly timeless: readonly number[];
  /** Its groups have no window: they are sent at each end of the input, and nobody follows it. `model` makes the rows of the last end. */
  readonly updates?: true;
  /** Rows of the inputs of each source in the order of their reading, with the watermark before each, or -Infinity when nothing is late. */
  model(rows: readonly (readonly Timed[])[]): Expected;
}

export interface Timed {
  readonly input: Input;
  readonly row: Row;
  readonly wm: number;
}

const S = 1000;
/** ms of event time that rows of one partition are out of order at most; less than `delay`. */
export const DISORDER = 3000;
export const DELAY = 4000;

const text = (k: string | null): string => JSON.stringify(k);
const decimal = (cents: number | null): string => (cents === null ? 'null' : `${cents < 0 ? '-' : ''}${Math.floor(Math.abs(cents) / 100)}.${String(Math.abs(cents) % 100).padStart(2, '0')}`);
const sum = (list: readonly (number | null)[]): number | null => list.reduce((s, x) => (x === null ? s : (s ?? 0) + x), null);
const some = (list: readonly (number | null)[]): number[] => list.filter(x => x !== null);

const tumble = (size: number) => (t: number): number[] => [Math.floor(t / size) * size];
const hop = (slide: number, size: number) => (t: number): number[] => {
  const starts: number[] = [];
  for (let s = Math.floor(t / slide) * slide; s > t - size; s -= slide) starts.push(s);
  return starts;
};

/** Groups of windows by key, with the rows that each took; rows that no window took, and those that `where` left out. */
function windows(rows: readonly Timed[], starts: (t: number) => number[], size: number, where: (r: Row) => boolean): { groups: { k: string | null; start: number; rows: Row[] }[]; late: Input[]; filtered: number } {
  const groups = new Map<string, { k: string | null; start: number; rows: Row[] }>();
  const late: Input[] = [];
  let filtered = 0;
  for (const { input, row, wm } of rows) {
    if (!where(row)) { filtered++; continue; }
    let taken = false;
    for (const start of starts(row.at)) {
      if (start + size - 1 <= wm) continue;
      taken = true;
      const name = `${text(row.k)} ${start}`;
      const g = groups.get(name) ?? { k: row.k, start, rows: [] };
      groups.set(name, g);
      g.rows.push(row);
    }
    if (!taken) late.push(input);
  }
  return { groups: [...groups.values()], late, filtered };
}

const all = (): boolean => true;

export const shapes: readonly Shape[] = [
  {
    name: 'balances', sources: ['a'], sinks: ['out'], tumbling: true, timeless: [],
    sql: `sinks:
  out:
    key: k
    sql: |
      SELECT k, SUM(CASE WHEN v < 0 THEN -amount ELSE amount END) AS balance, window_start, window_end FROM a GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)
`,
    model: ([a = []]) => {
      const { groups, late, filtered } = windows(a, tumble(10 * S), 10 * S, all);
      const out = groups.map(g => `{"k":${text(g.k)},"balance":${decimal(sum(g.rows.map(r => (r.cents !== null && r.v !== null && r.v < 0 ? -r.cents : r.cents))))},"window_start":${g.start},"window_end":${g.start + 10 * S}}`);
      return { out: new Map([['out', out]]), late, filtered };
    },
  },
  {
    name: 'fraud', sources: ['a'], sinks: ['out'], tumbling: true, timeless: [],
    sql: `sinks:
  out:
    sql: |
      SELECT k, SUM(amount) AS total, COUNT(*) AS n, window_end FROM a WHERE v IS NOT NULL GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND) HAVING SUM(amount) > 5.0
`,
    model: ([a = []]) => {
      const { groups, late, filtered } = windows(a, tumble(10 * S), 10 * S, r => r.v !== null);
      const out = groups.map(g => ({ g, total: sum(g.rows.map(r => r.cents)) })).filter(({ total }) => total !== null && total > 500)
        .map(({ g, total }) => `{"k":${text(g.k)},"total":${decimal(total)},"n":${g.rows.length},"window_end":${g.start + 10 * S}}`);
      return { out: new Map([['out', out]]), late, filtered };
    },
  },
  {
    name: 'hop', sources: ['a'], sinks: ['out'], tumbling: false, timeless: [],
    sql: `sinks:
  out:
    key: k
    sql: |
      SELECT k, window_start, COUNT(*) AS n, COUNT(v) AS c, SUM(v) AS s, MIN(v) AS lo, MAX(v) AS hi FROM a GROUP BY k, HOP(ts, INTERVAL '5' SECOND, INTERVAL '15' SECOND)
`,
    model: ([a = []]) => {
      const { groups, late, filtered } = windows(a, hop(5 * S, 15 * S), 15 * S, all);
      const out = groups.map(g => {
        const v = g.rows.map(r => r.v);
        const [lo, hi] = some(v).length === 0 ? ['null', 'null'] : [Math.min(...some(v)), Math.max(...some(v))];
        return `{"k":${text(g.k)},"window_start":${g.start},"n":${g.rows.length},"c":${some(v).length},"s":${sum(v)},"lo":${lo},"hi":${hi}}`;
      });
      return { out: new Map([['out', out]]), late, filtered };
    },
  },
  {
    name: 'project', sources: ['a'], sinks: ['out'], tumbling: true, timeless: [0],
    sql: `sinks:
  out:
    sql: |
      SELECT k, v * 2 AS w, amount, at FROM a WHERE v > 0 OR k = 'k1'
`,
    model: ([a = []]) => {
      const kept = a.filter(({ row }) => (row.v !== null && row.v > 0) || row.k === 'k1');
      const out = kept.map(({ row }) => `{"k":${text(row.k)},"w":${row.v === null ? 'null' : row.v * 2},"amount":${decimal(row.cents)},"at":${row.at}}`);
      return { out: new Map([['out', out]]), late: [], filtered: a.length - kept.length };
    },
  },
  {
    name: 'two sinks', sources: ['a'], sinks: ['out', 'big'], tumbling: false, timeless: [],
    sql: `sinks:
  out:
    key: k
    sql: |
      SELECT k, COUNT(DISTINCT v) AS d, MAX(amount) AS m, window_start FROM a GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)
  big:
    sql: |
      SELECT k, at FROM a WHERE amount > 2.00
`,
    model: ([a = []]) => {
      const { groups, late, filtered } = windows(a, tumble(10 * S), 10 * S, all);
      const out = groups.map(g => {
        const v = some(g.rows.map(r => r.v));
        const cents = some(g.rows.map(r => r.cents));
        return `{"k":${text(g.k)},"d":${new Set(v).size},"m":${decimal(cents.length === 0 ? null : Math.max(...cents))},"window_start":${g.start}}`;
      });
      const big = a.filter(({ row }) => row.cents !== null && row.cents > 200);
      return { out: new Map([['out', out], ['big', big.map(({ row }) => `{"k":${text(row.k)},"at":${row.at}}`)]]), late, filtered: filtered + a.length - big.length };
    },
  },
  {
    name: 'two sources', sources: ['a', 'b'], sinks: ['out', 'rows'], tumbling: true, timeless: [1],
    sql: `sinks:
  out:
    key: k
    sql: |
      SELECT k, COUNT(*) AS n, window_end FROM a GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)
  rows:
    sql: |
      SELECT v, at FROM b WHERE v IS NOT NULL
`,
    model: ([a = [], b = []]) => {
      const { groups, late, filtered } = windows(a, tumble(10 * S), 10 * S, all);
      const rows = b.filter(({ row }) => row.v !== null);
      return {
        out: new Map([['out', groups.map(g => `{"k":${text(g.k)},"n":${g.rows.length},"window_end":${g.start + 10 * S}}`)], ['rows', rows.map(({ row }) => `{"v":${row.v},"at":${row.at}}`)]]),
        late, filtered: filtered + b.length - rows.length,
      };
    },
  },
  {
    name: 'step', sources: ['a'], sinks: ['out', 'each'], tumbling: false, timeless: [],
    sql: `steps:
  small: |
    SELECT k, COUNT(*) AS n, SUM(amount) AS s, window_start, window_end, window_time FROM a GROUP BY k, TUMBLE(ts, INTERVAL '5' SECOND)
sinks:
  out:
    key: k
    sql: |
      SELECT k, SUM(n) AS n, MAX(s) AS top, window_start FROM small GROUP BY k, TUMBLE(window_time, INTERVAL '10' SECOND)
  each:
    sql: |
      SELECT k, n, window_start FROM small
`,
    model: ([a = []]) => {
      const { groups, late, filtered } = windows(a, tumble(5 * S), 5 * S, all);
      const large = new Map<string, { k: string | null; start: number; n: number; top: number | null }>();
      for (const g of groups) {
        const start = Math.floor((g.start + 5 * S - 1) / (10 * S)) * 10 * S;
        const name = `${text(g.k)} ${start}`;
        const l = large.get(name) ?? { k: g.k, start, n: 0, top: null };
        const s = sum(g.rows.map(r => r.cents));
        l.n += g.rows.length;
        l.top = s === null ? l.top : Math.max(s, l.top ?? -Infinity);
        large.set(name, l);
      }
      return {
        out: new Map([
          ['out', [...large.values()].map(l => `{"k":${text(l.k)},"n":${l.n},"top":${decimal(l.top)},"window_start":${l.start}}`)],
          ['each', groups.map(g => `{"k":${text(g.k)},"n":${g.rows.length},"window_start":${g.start}}`)],
        ]), late, filtered,
      };
    },
  },
];

/** Groups of several sinks, one of them without a key. */
export const totals: Shape = {
  name: 'totals', sources: ['a'], sinks: ['out', 'big', 'all'], tumbling: false, timeless: [0], updates: true,
  sql: `steps:
  per: |
    SELECT k, COUNT(*) AS n, SUM(amount) AS s, COUNT(DISTINCT v) AS d, MIN(v) AS lo, MAX(at) AS last FROM a GROUP BY k
sinks:
  out:
    key: k
    sql: |
      SELECT k, n, s, d, lo, last FROM per
  big:
    key: k
    sql: |
      SELECT k, n FROM per WHERE n > 4
  all:
    sql: |
      SELECT COUNT(*) AS n, SUM(v) AS s, MAX(amount) AS top FROM a WHERE v IS NOT NULL
`,
  model: ([a = []]) => {
    const groups = new Map<string | null, Row[]>();
    for (const { row } of a) groups.set(row.k, [...(groups.get(row.k) ?? []), row]);
    const out = [...groups].map(([k, rows]) => {
      const v = some(rows.map(r => r.v));
      return { k, n: rows.length, value: `{"k":${text(k)},"n":${rows.length},"s":${decimal(sum(rows.map(r => r.cents)))},"d":${new Set(v).size},"lo":${v.length === 0 ? 'null' : Math.min(...v)},"last":${Math.max(...rows.map(r => r.at))}}` };
    });
    const whole = a.filter(({ row }) => row.v !== null).map(({ row }) => row);
    const cents = some(whole.map(r => r.cents));
    return {
      out: new Map([
        ['out', out.map(g => g.value)],
        ['big', out.filter(g => g.n > 4).map(g => `{"k":${text(g.k)},"n":${g.n}}`)],
        ['all', whole.length === 0 ? [] : [`{"n":${whole.length},"s":${sum(whole.map(r => r.v))},"top":${decimal(cents.length === 0 ? null : Math.max(...cents))}}`]],
      ]), late: [], filtered: a.length - whole.length,
    };
  },
};

const compiled = new Map<string, CompiledPipeline>();

/** The pipeline of a shape, compiled once for each setting. */
export function pipelineOf(shape: Shape, o: { idle: string; delay: number; onError: string; delivery: string }): CompiledPipeline {
  const sources = shape.sources.map(name => `  ${name}:
    schema: {k: STRING, v: BIGINT, amount: "DECIMAL(12,2)", at: BIGINT}
    event_time: {from: at, unit: ms, as: ts, delay: ${o.delay}ms, idle: ${o.idle}}
    on_error: ${o.onError}
`).join('');
  const yaml = `name: sim\nsources:\n${sources}${shape.sql}settings:\n  delivery: ${o.delivery}\n`;
  let found = compiled.get(yaml);
  if (found === undefined) compiled.set(yaml, (found = compilePipeline(loadPipeline('/nowhere/sim.yaml', { env: {}, root: '/nowhere', text: yaml }))));
  return found;
}

export const valueOf = (r: Row): string => `{"k":${text(r.k)},"v":${r.v},"amount":${decimal(r.cents)},"at":${r.at}}`;

/** Records for the partitions of each source, in the order of their sending. `disorder` in ms. */
export function inputsOf(w: World, shape: Shape, partitions: number, disorder: number): Input[] {
  const inputs: Input[] = [];
  const keys = 1 + w.pick(4);
  const pace = w.one([200, 1000, 4000]);
  for (let source = 0; source < shape.sources.length; source++) {
    let t = 0;
    const n = w.chance(0.05) ? 0 : 1 + w.pick(w.chance(0.2) ? 60 : 25);
    for (let i = 0; i < n; i++) {
      t += w.pick(pace);
      const partition = w.pick(partitions);
      if (w.chance(0.03)) { inputs.push({ source, partition, value: w.one(['no json', '{"k":"k1","v":1', '{"k":"k1","v":1,"amount":1.00,"at":"x"}', '']), row: null, kind: 'bad' }); continue; }
      const row: Row = {
        k: w.chance(0.1) ? null : `k${w.pick(keys)}`, v: w.chance(0.15) ? null : w.pick(200) - 100, cents: w.chance(0.15) ? null : w.pick(1000) - 200,
        at: BASE + (w.chance(0.02) ? 10 * 86_400_000 : Math.max(0, t - w.pick(disorder + 1))),
      };
      inputs.push({ source, partition, value: valueOf(row), row, kind: row.at > BASE + 86_400_000 && !shape.timeless.includes(source) ? 'future' : 'row' });
    }
  }
  return inputs;
}

/** Rows of each source with the watermark before each: of one partition as it is read row by row, else none. */
export function timed(inputs: readonly Input[], shape: Shape, delay: number, one: boolean): Timed[][] {
  return shape.sources.map((_, source) => {
    let max = -Infinity;
    return inputs.filter(i => i.source === source && i.kind === 'row').map(input => {
      const row = input.row as Row;
      const wm = one ? max - delay : -Infinity;
      max = Math.max(max, row.at);
      return { input, row, wm };
    });
  });
}
