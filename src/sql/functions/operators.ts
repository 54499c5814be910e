import { RowError } from '../../errors.ts';
import { BOOLEAN, BYTES, STRING, isNumeric, typeName, type SqlType } from '../types.ts';
import { castFn } from './cast.ts';
import type { ArgInfo, ScalarFn } from './define.ts';
import type { Arithmetic } from './numeric-types.ts';
import { negation, numericOperator } from './operators/arithmetic.ts';
import { comparison, distinctFrom, type Comparison } from './operators/compare.ts';
import { compileLike, type LikeMatcher } from './operators/like.ts';
import { temporalOperator } from './operators/temporal.ts';
import { limited, strict } from './overload.ts';

/**
 * The overload of an operator (+ - * / % = <> < <= > >= || neg like distinct), or why there is none.
 * A bare NULL takes the type of the other side.
 */
export function resolveOperator(op: string, args: readonly ArgInfo[]): ScalarFn | string {
  const [a, b] = args as [ArgInfo, ArgInfo];
  switch (op) {
    case '+': case '-': case '*': case '/': case '%': return arithmetic(op, typed(a, b), typed(b, a));
    case '=': case '<>': case '<': case '<=': case '>': case '>=': return comparison(op satisfies Comparison, typed(a, b).type, typed(b, a).type);
    case '||': return concat(a.type, b.type);
    case 'neg': return negation(a.type) ?? (a.type.k === 'null' ? NULL_OF(a.type) : `- needs a number or an interval, this is ${typeName(a.type)}`);
    case 'like': return like(args);
    case 'distinct': return distinctFrom(typed(a, b).type, typed(b, a).type);
    default: return `there is no operator ${op}`;
  }
}

const NULL_OF = (t: SqlType): ScalarFn => strict('neg', [t], t, () => null);

const typed = (a: ArgInfo, other: ArgInfo): ArgInfo => (a.type.k === 'null' ? { type: other.type, literal: null } : a);

function arithmetic(op: Arithmetic, a: ArgInfo, b: ArgInfo): ScalarFn | string {
  if (isNumeric(a.type) && isNumeric(b.type)) return numericOperator(op, a.type, b.type);
  if (a.type.k === 'null' && b.type.k === 'null') return strict(op, [a.type, b.type], a.type, () => null);
  const temporal = temporalOperator(op, a, b);
  if (temporal !== null) return temporal;
  const names = `${typeName(a.type)} ${op} ${typeName(b.type)}`;
  const text = a.type.k === 'string' || b.type.k === 'string';
  return `there is no ${names}${text ? (op === '+' ? '; || joins texts, CAST(.. AS ..) makes a number of one' : '; write CAST(.. AS ..) around the text') : ''}`;
}

function concat(a: SqlType, b: SqlType): ScalarFn | string {
  if (a.k === 'bytes' && b.k === 'bytes') return strict('||', [BYTES, BYTES], BYTES, (x: Uint8Array, y: Uint8Array) => Buffer.concat([x, y]));
  for (const t of [a, b]) {
    const cast = castFn(t, STRING);
    if (typeof cast === 'string') return cast;
  }
  const joined = (x: string, y: string): string => { limited(x.length + y.length); return x + y; };
  return strict('||', [STRING, STRING], STRING, joined);
}

function like(args: readonly ArgInfo[]): ScalarFn | string {
  const wrong = args.find(a => a.type.k !== 'string' && a.type.k !== 'null');
  if (wrong !== undefined) return `LIKE compares texts, this is ${typeName(wrong.type)}; write CAST(.. AS STRING)`;
  const types = args.map(() => STRING);
  const pattern = args[1]?.literal;
  const escape = args.length < 3 ? null : args[2]?.literal;
  if (typeof pattern === 'string' && (escape === null || typeof escape === 'string')) {
    const matcher = compiled(pattern, escape);
    if (typeof matcher === 'string') return matcher;
    return strict('like', types, BOOLEAN, matcher, { js: ([x], bind) => `${bind(matcher)}(${x})` });
  }
  // a pattern from the data is usually the same as that of the row before
  let last: { readonly pattern: string; readonly escape: string | null; readonly matcher: LikeMatcher } | null = null;
  return strict('like', types, BOOLEAN, (text: string, p: string, e: string | undefined) => {
    const esc = e ?? null;
    if (last === null || last.pattern !== p || last.escape !== esc) last = { pattern: p, escape: esc, matcher: compileLike(p, esc) };
    return last.matcher(text);
  });
}

function compiled(pattern: string, escape: string | null): LikeMatcher | string {
  try {
    return compileLike(pattern, escape);
  } catch (error) {
    if (error instanceof RowError) return error.message;
    throw error;
  }
}

export { castFn } from './cast.ts';
export { commonType, implicitlyCastable, literalAs } from './common-type.ts';
