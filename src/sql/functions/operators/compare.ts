import { BOOLEAN, isExact, isInteger, isNumeric, reprOf, typeName, type SqlType, type Value, type Wide } from '../../types.ts';
import { compareText } from '../../values/text.ts';
import { cmp, rescale } from '../../values/wide.ts';
import type { ScalarFn } from '../define.ts';
import { commonType } from '../common-type.ts';
import { MAX_PRECISION, asDecimal, exactCommon } from '../numeric-types.ts';
import { strict } from '../overload.ts';

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=';

type Order = (a: Value, b: Value) => number;

/** Order of two values of one type (-1, 0, 1); NaN after all numbers. */
export function orderOf(t: SqlType): Order {
  switch (reprOf(t)) {
    case 'text': return (a, b) => compareText(a as string, b as string);
    case 'bytes': return (a, b) => Buffer.compare(a as Uint8Array, b as Uint8Array);
    default: return (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  }
}

const tests: Readonly<Record<Comparison, (order: number) => boolean>> = {
  '=': c => c === 0, '<>': c => c !== 0, '<': c => c < 0, '<=': c => c <= 0, '>': c => c > 0, '>=': c => c >= 0,
};

/** JavaScript's own operators are exact between numbers, bigints and booleans; texts compare by code point. */
const native: Readonly<Record<Comparison, (a: Wide, b: Wide) => boolean>> = {
  '=': (a, b) => a === b, '<>': (a, b) => a !== b, '<': (a, b) => a < b, '<=': (a, b) => a <= b, '>': (a, b) => a > b, '>=': (a, b) => a >= b,
};
const symbol: Readonly<Record<Comparison, string>> = { '=': '===', '<>': '!==', '<': '<', '<=': '<=', '>': '>', '>=': '>=' };

/** Both sides are cast to one type first. Two DECIMALs that no DECIMAL(38) holds, and an integer beside a DOUBLE, are compared exactly without a cast. */
export function comparison(op: Comparison, a: SqlType, b: SqlType): ScalarFn | string {
  if ((isInteger(a) && b.k === 'double') || (a.k === 'double' && isInteger(b))) return byOrder(op, [a, b], (x, y) => cmp(x as Wide, y as Wide));
  if (isExact(a) && isExact(b)) {
    const { p, s } = exactCommon(asDecimal(a), asDecimal(b));
    if (p > MAX_PRECISION) return byOrder(op, [a, b], (x, y) => cmp(rescale(x as Wide, a.s, s), rescale(y as Wide, b.s, s)));
  }
  const t = commonType(a, b);
  if (t === null) return mismatch(op, a, b);
  const repr = reprOf(t);
  if (repr === 'bytes' || (repr === 'text' && op !== '=' && op !== '<>')) return byOrder(op, [t, t], orderOf(t));
  return strict(op, [t, t], BOOLEAN, native[op], { js: ([x, y]) => `(${x} ${symbol[op]} ${y})` });
}

function byOrder(op: Comparison, args: readonly SqlType[], order: Order): ScalarFn {
  const test = tests[op];
  return strict(op, args, BOOLEAN, (x: Value, y: Value) => test(order(x, y)));
}

const mismatch = (op: string, a: SqlType, b: SqlType): string => {
  const cast = isNumeric(a) || isNumeric(b) || a.k === 'string' || b.k === 'string' ? '; write CAST(.. AS ..) around one of them' : '';
  return `${op} cannot compare ${typeName(a)} with ${typeName(b)}${cast}`;
};

/** IS DISTINCT FROM: <> where NULL is a value like another. */
export function distinctFrom(a: SqlType, b: SqlType): ScalarFn | string {
  const differs = comparison('<>', a, b);
  if (typeof differs === 'string') return mismatch('IS DISTINCT FROM', a, b);
  return { name: 'distinct', args: differs.args, returns: BOOLEAN, nulls: 'pass', fn: (x, y) => (x === null || y === null ? x !== y : differs.fn(x, y)) };
}
