import { createHash } from 'node:crypto';
import type { AggregateCall, Expr } from '../sql/bound.ts';
import { rewrite, walk } from '../sql/bind/structure.ts';
import { TIMESTAMP_LTZ, typeName, type Field } from '../sql/types.ts';
import type { Aggregate, PhysicalPlan, Scan, Stage } from './physical.ts';
import { printExpr, printWindow } from './print.ts';

/** Steps upon steps may double an expression each; as the plan does (build.ts), it is cut here. */
const MAX_NODES = 2000;

/**
 * What the state of a grouping means, in words that an edit of anything else leaves as they are: names of steps, sinks and output columns,
 * the order of SELECT and GROUP BY, how SQL is spelled, and all that comes behind it (HAVING) are no part of it. Columns stand with their types,
 * since records are read by them. State that was saved under one meaning is wrong under another.
 */
export interface Fingerprint {
  /** Name of the source as given; the topic is the source's own affair. */
  readonly source: string;
  /** Which rows come in and into which windows, a line each. */
  readonly rows: readonly string[];
  /** Whether there is a window. */
  readonly windowed: boolean;
  /** In the order of the plan, as are the calls: their columns in the state table come in it. */
  readonly keys: readonly string[];
  readonly calls: readonly string[];
}

/** `nameOf` gives the name under which a source is to appear: the one that the state knows it by. */
export function fingerprint(plan: PhysicalPlan, a: Aggregate, nameOf: (source: string) => string = s => s): Fingerprint {
  const input = inputOf(plan, a.input, nameOf);
  const rows = lines(withFilter(input, a.filter));
  const { window } = a;
  const base = window !== null && 'def' in window ? withBounds(input) : input;
  if (window !== null) rows.push('k' in window ? `WINDOW ${printExpr(input.exprs[window.end] as Expr, namesOf(input))}` : printWindow({ ...window, time: 0 }, printExpr(input.exprs[window.time] as Expr, namesOf(input))));
  return { source: input.source, rows, windowed: window !== null, keys: a.keys.map(k => typed(k, base)), calls: a.calls.map(c => call(c, base)) };
}

/** One text for all of it, kept beside the groups. */
export const fingerprintText = (f: Fingerprint): string => [...f.rows, `GROUP BY ${f.keys.join(', ')}`, ...f.calls].join(' | ');

/** Which rows a sink is given, for telling whether its SQL is another one. */
export function rowsOfSink(plan: PhysicalPlan, sink: string, nameOf: (source: string) => string): string {
  const w = plan.sinks.find(s => s.sink === sink) as PhysicalPlan['sinks'][number];
  const input = inputOf(plan, w.input, nameOf);
  return [...lines(input), `SELECT ${w.schema.map((f, i) => `${typed(columnOf(i, f), input)} AS ${f.name}`).join(', ')}`].join(' | ');
}

/** Columns of an input as expressions over a scan or a grouping. */
interface Input {
  readonly source: string;
  /** Columns of the scan or grouping, then the bounds of windows. */
  readonly base: readonly { readonly name: string; readonly type: string }[];
  readonly exprs: readonly Expr[];
  readonly from: string;
  readonly where: readonly string[];
  readonly windows: readonly string[];
}

/** Filters in one order, in whichever steps they stand. */
const lines = (i: Input): string[] => [i.from, ...[...new Set(i.where)].sort().map(w => `WHERE ${w}`), ...i.windows];
const withFilter = (i: Input, filter: Expr | null): Input => (filter === null ? i : { ...i, where: [...i.where, ...conjuncts(filter, i)] });

function inputOf(plan: PhysicalPlan, id: string, nameOf: (source: string) => string): Input {
  const scan = plan.scans.find(s => s.id === id);
  if (scan !== undefined) return scanned(scan, nameOf(scan.source));
  const o = plan.operators.find(x => x.id === id) as Stage | Aggregate;
  if (o.k === 'aggregate') return grouped(o, fingerprint(plan, o, nameOf));
  const before = withFilter(inputOf(plan, o.input, nameOf), o.filter);
  const window = o.window === null ? [] : [printWindow({ ...o.window, time: 0 }, printExpr(before.exprs[o.window.time] as Expr, namesOf(before)))];
  const over = o.window === null ? before : withBounds(before);
  return { ...shortened(o.project, over), windows: [...before.windows, ...window] };
}

/** Expressions over an input; one that would grow beyond use becomes a column named by its digest. */
function shortened(project: readonly Expr[], input: Input): Input {
  const base = [...input.base];
  const exprs = project.map(e => {
    if (nodes(e, input) <= MAX_NODES) return own(e, input);
    const index = base.push({ name: createHash('sha256').update(typed(e, input)).digest('hex'), type: '' }) - 1;
    return { k: 'col', index, type: e.type, nullable: true } as const;
  });
  return { ...input, base, exprs };
}

function nodes(e: Expr, input: Input): number {
  let n = 0;
  const sizes = new Map<number, number>();
  const size = (index: number): number => {
    let found = sizes.get(index);
    if (found === undefined) {
      found = 0;
      walk(input.exprs[index] as Expr, () => { found = (found as number) + 1; });
      sizes.set(index, found);
    }
    return found;
  };
  walk(e, x => { n += x.k === 'col' ? size(x.index) : 1; });
  return n;
}

function scanned(scan: Scan, name: string): Input {
  return {
    source: name, from: `FROM ${name}`, where: [], windows: [], exprs: scan.schema.map((f, i) => columnOf(i, f)),
    base: scan.columns.map((c, i) => {
      const { type, nullable } = scan.schema[i] as Field;
      if (c.eventTime) return { name: `EVENT_TIME(${c.name}${c.unit === null ? '' : ` in ${c.unit}`})`, type: '' };
      return { name: c.name, type: `${typeName(type)}${nullable ? '' : ' NOT NULL'}` };
    }),
  };
}

/** Rows of a grouping: what else it computes does not matter to who reads one of its columns. */
function grouped(a: Aggregate, f: Fingerprint): Input {
  const columns = [...f.keys, ...f.calls].map(text => ({ name: `{${text}}`, type: '' }));
  return {
    source: f.source, from: `FROM (${[...f.rows, `GROUP BY ${[...f.keys].sort().join(', ')}`].join('; ')})`, where: [], windows: [], exprs: a.schema.map((s, i) => columnOf(i, s)),
    base: [...columns, ...bounds.slice(0, a.schema.length - columns.length)],
  };
}

const bounds = ['window_start', 'window_end', 'window_time'].map(name => ({ name, type: '' }));
const columnOf = (index: number, f: Field): Expr => ({ k: 'col', index, type: f.type, nullable: f.nullable });

/** The bounds of a window come behind the columns of its input. */
function withBounds(input: Input): Input {
  const columns = bounds.map((_, j): Expr => ({ k: 'col', index: input.base.length + j, type: TIMESTAMP_LTZ, nullable: false }));
  return { ...input, base: [...input.base, ...bounds], exprs: [...input.exprs, ...columns] };
}

const namesOf = (input: Input): string[] => input.base.map(b => b.name);
const own = (e: Expr, input: Input): Expr => rewrite(e, x => (x.k === 'col' ? (input.exprs[x.index] as Expr) : null));

function printed(e: Expr, input: Input): string { return printExpr(own(e, input), namesOf(input)); }

/** Columns that an expression reads, with their types; of a column alone only its type. */
function reads(e: Expr, input: Input): string[] {
  const found = new Set<string>();
  walk(own(e, input), x => {
    const b = x.k === 'col' ? input.base[x.index] : undefined;
    if (b !== undefined && b.type !== '') found.add(`${b.name} ${b.type}`);
  });
  return [...found].sort();
}

function typed(e: Expr, input: Input): string {
  const read = reads(e, input);
  const text = printed(e, input);
  if (own(e, input).k === 'col') return read[0] ?? text;
  return `${text} ${typeName(e.type)}${read.length === 0 ? '' : ` [${read.join(', ')}]`}`;
}

function call(c: AggregateCall, input: Input): string {
  const filter = c.filter === null ? '' : ` FILTER (${conjuncts(c.filter, input).join(' AND ')})`;
  return `${c.fn.name.toUpperCase()}(${c.args.map(x => typed(x, input)).join(', ')})${filter}`;
}

/** The parts of an AND in one order, whichever step or sink they were written in. */
function conjuncts(e: Expr, input: Input): string[] {
  const parts = (x: Expr): Expr[] => (x.k === 'and' ? x.args.flatMap(parts) : [x]);
  const texts = parts(e).map(x => {
    const read = reads(x, input);
    return `${printed(x, input)}${read.length === 0 ? '' : ` [${read.join(', ')}]`}`;
  });
  return [...new Set(texts)].sort();
}
