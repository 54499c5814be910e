import type { At, Expr as Ast, Name, WindowTable } from '../ast.ts';
import type { BindContext } from './context.ts';
import type { Rel, RelColumn } from '../bound.ts';
import { interval } from './literal.ts';
import { Scope } from './scope.ts';
import { TIMESTAMP, TIMESTAMP_LTZ } from '../types.ts';
import type { WindowDef, WindowSpec } from '../windows/define.ts';
import { windows } from '../windows/index.ts';

const KINDS = new Set(['TUMBLE', 'HOP', 'CUMULATE', 'SESSION']);

/** TUMBLE(ts, INTERVAL ..) in GROUP BY. */
export const isGroupWindow = (e: Ast): e is Ast & { k: 'call' } => e.k === 'call' && KINDS.has(e.name.text.toUpperCase());

export function windowTable(w: WindowTable, input: Rel, table: string | null, context: BindContext): Rel {
  const def = definition(w.kind, w.at, context);
  if (w.partitionBy.length > 0) throw context.error('user.sql.window', `PARTITION BY does not go with ${w.kind.toUpperCase()}`, w.at);
  const args = def.args.map((name, i) => {
    const named = w.args.find(a => a.name?.text.toLowerCase() === name);
    const arg = named ?? w.args.filter(a => a.name === null)[i];
    if (arg === undefined) throw context.error('user.sql.window', `${w.kind.toUpperCase()} needs its ${name}`, w.at, { hint: `syntax: ${def.syntax}` });
    return arg.expr;
  });
  const unknown = w.args.find(a => a.name !== null && !def.args.includes(a.name.text.toLowerCase()));
  if (unknown !== undefined) throw context.notYet(`${(unknown.name as Name).text} of ${w.kind.toUpperCase()}`, (unknown.name as Name).at);
  if (w.args.length > def.args.length) throw context.notYet(`an offset of ${w.kind.toUpperCase()}`, (w.args[def.args.length] as { expr: Ast }).expr.at);
  return addWindow(def, w.at, [w.time], args, input, table, context);
}

export function groupWindow(e: Ast & { k: 'call' }, input: Rel, table: string | null, context: BindContext): Rel {
  const kind = e.name.text.toUpperCase();
  const def = definition(kind, e.name.at, context);
  const [time, ...args] = e.args;
  const syntax = `${kind}(ts, ${def.args.map(() => "INTERVAL '10' SECOND").join(', ')})`;
  if (time === undefined || time.k !== 'ref') throw context.error('user.sql.window', `${kind} needs a time column first`, e.at, { hint: `such as ${syntax}` });
  if (args.length < def.args.length) throw context.error('user.sql.window', `${kind} needs its ${def.args[args.length]}`, e.at, { hint: `such as ${syntax}` });
  if (args.length > def.args.length) throw context.notYet(`an offset of ${kind}`, (args[def.args.length] as Ast).at);
  return addWindow(def, e.at, time.path, args, input, table, context);
}

/** TUMBLE_START(ts, ..), TUMBLE_END, TUMBLE_ROWTIME and those of HOP: the bound of a window of this query. */
export function windowBound(e: Ast & { k: 'call' }, columns: readonly RelColumn[], context: BindContext): number | null {
  const match = /^(TUMBLE|HOP)_(START|END|ROWTIME)$/.exec(e.name.text.toUpperCase());
  if (match === null) return null;
  const def = windows.find(match[1] as string) as WindowDef;
  const which = ({ START: 'start', END: 'end', ROWTIME: 'wtime' } as const)[match[2] as 'START'];
  const sizes = e.args.slice(1).map(a => intervalMs(a, e.at, context));
  const index = columns.findIndex(c => c.attribute?.k === which && same(c.attribute.window, def, sizes));
  if (index < 0) throw context.error('user.sql.window', `${e.name.text.toUpperCase()} belongs to a ${match[1]} with the same arguments in GROUP BY`, e.at);
  return index;
}

const same = (w: WindowSpec, def: WindowDef, ms: readonly number[]): boolean => w.def === def && (ms.length === 0 || (w.ms.length === ms.length && w.ms.every((x, i) => x === ms[i])));

function definition(kind: string, at: At, context: BindContext): WindowDef {
  const def = windows.find(kind);
  if (def === undefined) throw context.notYet(`${kind.toUpperCase()} windows`, at);
  return def;
}

function addWindow(def: WindowDef, at: At, time: readonly Name[], args: readonly Ast[], input: Rel, table: string | null, context: BindContext): Rel {
  const name = time.at(-1) as Name;
  const scope = new Scope(input.columns, table);
  const index = scope.find(time, context);
  const kind = def.name.toUpperCase();
  const hasTime = input.columns.find(c => c.attribute?.k === 'time' || c.attribute?.k === 'wtime');
  if (index === null && hasTime !== undefined) throw scope.unknown(name, context);
  const attribute = index === null ? null : (input.columns[index] as RelColumn).attribute;
  if (index === null || hasTime === undefined) {
    throw context.error('user.sql.no_event_time', `${kind} needs event time, but ${table === null ? 'its input' : `"${table}"`} has none`, name.at, {
      label: index === null ? 'no such column, and no event_time that would make it' : 'not a time attribute',
      hint: input.k === 'scan' ? `add to the source:  event_time: {from: ${index === null ? 'timestamp' : name.text}, unit: s, delay: 5s}` : 'pass the time attribute of the source on, or window_time of a window',
    });
  }
  if (attribute?.k !== 'time' && attribute?.k !== 'wtime') throw context.error('user.sql.window', `${kind} needs the time attribute, and "${name.text}" is an ordinary column`, name.at, { hint: `use ${hasTime.name}` });
  const ms = args.map(a => intervalMs(a, a.at, context));
  const problem = def.check(ms);
  if (problem !== null) throw context.error('user.sql.window', `${kind}: ${problem}`, (args.at(-1) as Ast).at, { hint: args.length < 2 ? undefined : `the order is ${kind}(${name.text}, ${def.args.join(', ')}): ${def.args.join(' first, then ')}` });
  const window: WindowSpec = { def, ms, time: index, at: context.sql.span(...at) };
  // bounds of a window below give way to the new ones of the same name; a column of the user's does not
  const own = input.columns.find(c => isBound(c.name) && !c.hidden && (c.attribute === null || c.attribute.k === 'time'));
  if (own !== undefined) {
    throw context.error('user.sql.window', `${kind} adds a column "${own.name}", and its input has one of that name`, name.at, { hint: `select it under another name first: FROM (SELECT ${own.name} AS old_${own.name}, ..)` });
  }
  const before = input.columns.map(c => (isBound(c.name) ? { ...c, hidden: true, name: `${c.name} of the input` } : c));
  const bound = (columnName: string, k: 'start' | 'end' | 'wtime'): RelColumn =>
    ({ name: columnName, type: k === 'wtime' ? TIMESTAMP_LTZ : TIMESTAMP, nullable: false, attribute: { k, window }, hidden: false });
  return { k: 'window', input, window, query: context.query, columns: [...before, bound('window_start', 'start'), bound('window_end', 'end'), bound('window_time', 'wtime')] };
}

const isBound = (name: string): boolean => /^window_(start|end|time)$/.test(name);

function intervalMs(e: Ast, at: At, context: BindContext): number {
  if (e.k !== 'interval') throw context.error('user.sql.window', 'a window takes INTERVAL literals', at, { hint: "such as INTERVAL '10' SECOND" });
  const bound = interval(e, context);
  if (bound.type.k !== 'interval') throw context.error('user.sql.window', 'a window has a fixed size in days, hours, minutes or seconds', e.at);
  return (bound as { value: number }).value;
}
