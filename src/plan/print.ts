import type { Expr, Rel } from '../sql/bound.ts';
import { typeName, reprOf, type SqlType, type Value, type Wide } from '../sql/types.ts';
import { printDecimal } from '../sql/values/decimal.ts';
import { javaDouble } from '../sql/values/double.ts';
import { printDate, printInterval, printMonths, printTime, printTimestamp } from '../sql/values/time.ts';
import type { WindowSpec } from '../sql/windows/define.ts';

/** A constant as SQL would write it. */
function printValue(v: Value | null, type: SqlType): string {
  if (v === null) return 'NULL';
  switch (type.k) {
    case 'decimal': return printDecimal(v as Wide, type.s);
    case 'float': case 'double': return javaDouble(v as number);
    case 'date': return `DATE '${printDate(v as number)}'`;
    case 'time': return `TIME '${printTime(v as number)}'`;
    case 'timestamp': case 'timestamp_ltz': return `TIMESTAMP '${printTimestamp(v as number)}'`;
    case 'interval': return `INTERVAL ${printInterval(v as number)}`;
    case 'interval_month': return `INTERVAL ${printMonths(v as number)}`;
    case 'boolean': return v === true ? 'TRUE' : 'FALSE';
    default: return reprOf(type) === 'text' ? `'${String(v).replaceAll("'", "''")}'` : reprOf(type) === 'bytes' ? `X'${Buffer.from(v as Uint8Array).toString('hex')}'` : String(v);
  }
}

const INFIX = new Set(['+', '-', '*', '/', '%', '=', '<>', '<', '<=', '>', '>=', '||']);

/** A bound expression in SQL, with every cast that the binder added. `names` are the columns of its input. */
export function printExpr(e: Expr, names: readonly string[]): string {
  const go = (x: Expr): string => printExpr(x, names);
  const inner = (x: Expr): string => (x.k === 'and' || x.k === 'or' || (x.k === 'call' && INFIX.has(x.fn.name)) ? `(${go(x)})` : go(x));
  switch (e.k) {
    case 'col': return names[e.index] ?? ['window_start', 'window_end', 'window_time'][e.index - names.length] ?? `$${e.index}`;
    case 'lit': return printValue(e.value, e.type);
    case 'call': {
      const [a, b] = e.args;
      if (INFIX.has(e.fn.name) && a !== undefined && b !== undefined) return `${inner(a)} ${e.fn.name} ${inner(b)}`;
      if (/^CAST\b/i.test(e.fn.name) && a !== undefined) return `CAST(${go(a)} AS ${typeName(e.type)})`;
      if (e.fn.name === 'neg' && a !== undefined) return `-${inner(a)}`;
      return `${e.fn.name.toUpperCase()}(${e.args.map(go).join(', ')})`;
    }
    case 'and': case 'or': return e.args.map(inner).join(` ${e.k.toUpperCase()} `);
    case 'not': return `NOT ${inner(e.arg)}`;
    case 'is': return `${inner(e.arg)} IS ${e.not ? 'NOT ' : ''}${e.what.toUpperCase()}`;
    case 'case': return `CASE ${e.whens.map(w => `WHEN ${go(w.when)} THEN ${go(w.then)}`).join(' ')} ELSE ${go(e.else)} END`;
    case 'try': return `TRY(${go(e.arg)})`;
  }
}

export function printDuration(ms: number): string {
  for (const [unit, size] of [['d', 86_400_000], ['h', 3_600_000], ['min', 60_000], ['s', 1000]] as const) if (ms !== 0 && ms % size === 0) return `${ms / size} ${unit}`;
  return `${ms} ms`;
}

export const printWindow = (w: WindowSpec, time: string): string => `${w.def.name.toUpperCase()} ${w.ms.map(printDuration).join(' / ')} on ${time}`;

/** A relation as an indented tree, its root first; `expand` gives the relation of a step that is to be shown in place. */
export function printRel(rel: Rel, expand: (table: string) => Rel | undefined = () => undefined, indent = ''): string[] {
  const below = (r: Rel): string[] => printRel(r, expand, `${indent}  `);
  const columns = (r: Rel): string[] => r.columns.map(c => c.name);
  const shown = rel.columns.map(c => `${c.hidden ? '~' : ''}${c.name} ${typeName(c.type)}${c.nullable ? '' : ' NOT NULL'}`).join(', ');
  switch (rel.k) {
    case 'scan': {
      const step = expand(rel.table);
      return step === undefined ? [`${indent}Scan ${rel.table} [${shown}]`] : printRel(step, expand, indent);
    }
    case 'filter': return [`${indent}Filter ${printExpr(rel.condition, columns(rel.input))}`, ...below(rel.input)];
    case 'project': return [`${indent}Project ${rel.exprs.map((e, i) => `${printExpr(e, columns(rel.input))} AS ${rel.columns[i]?.hidden ? '~' : ''}${rel.columns[i]?.name}`).join(', ')}`, ...below(rel.input)];
    case 'window': return [`${indent}Window ${printWindow(rel.window, columns(rel.input)[rel.window.time] as string)}`, ...below(rel.input)];
    case 'aggregate': {
      const names = columns(rel.input);
      const keys = [...rel.keys.map(k => printExpr(k, names)), ...(rel.bounds === null ? [] : ['window_start', 'window_end'])];
      return [`${indent}Aggregate by (${keys.join(', ')}): ${rel.calls.map(c => c.text).join(', ')} [${shown}]`, ...below(rel.input)];
    }
  }
}
