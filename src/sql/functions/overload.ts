import { RowError } from '../../errors.ts';
import { INT, STRING, DOUBLE, isInteger, isNumeric, type SqlType, type Value } from '../types.ts';
import type { ArgInfo, Example, ScalarDef, ScalarFn } from './define.ts';

/** One parameter: its word in messages, and the type that an argument is cast to (null when it does not fit). */
export interface Param {
  readonly word: string;
  accept(t: SqlType): SqlType | null;
}

const orNull = (word: string, type: SqlType, fits: (t: SqlType) => boolean): Param => ({ word, accept: t => (t.k === 'null' || fits(t) ? type : null) });

export const text = orNull('STRING', STRING, t => t.k === 'string');
/** A whole number within the range of INT (checked per row when its type is larger). */
export const whole = orNull('INT', INT, isInteger);
/** Any number, computed as DOUBLE. */
export const double = orNull('number', DOUBLE, isNumeric);
/** Any scalar, as its text. */
export const anyText: Param = { word: 'any', accept: () => STRING };

interface Simple {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly syntax: string;
  readonly examples: readonly Example[];
  readonly params: readonly Param[];
  /** How many of the last parameters may be left out; default 0. */
  readonly optional?: number;
  /** The last parameter may be repeated. */
  readonly variadic?: boolean;
  readonly returns: SqlType;
  readonly nulls?: 'propagate' | 'pass';
  readonly returnsNull?: boolean;
  readonly volatile?: boolean;
  /** Arguments in the form of their parameters. */
  readonly fn: (...args: never[]) => Value | null;
  readonly js?: (args: readonly string[], bind: (constant: unknown) => string) => string;
}

/** A function with one parameter list and one result type. */
export function simple(d: Simple): ScalarDef {
  const least = d.params.length - (d.optional ?? 0);
  const expected = `expects (${d.params.map((p, i) => (i >= least ? `[${p.word}]` : p.word)).join(', ')}${d.variadic === true ? ', ..' : ''})`;
  const resolve = (args: readonly ArgInfo[]): ScalarFn | string => {
    if (args.length < least || (args.length > d.params.length && d.variadic !== true)) return expected;
    const types = args.map((a, i) => (d.params[Math.min(i, d.params.length - 1)] as Param).accept(a.type));
    if (types.includes(null)) return expected;
    return {
      name: d.name, args: types as SqlType[], returns: d.returns, nulls: d.nulls ?? 'propagate',
      ...(d.returnsNull === true ? { returnsNull: true } : {}),
      ...(d.volatile === true ? { volatile: true } : {}),
      fn: d.fn as ScalarFn['fn'],
      ...(d.js === undefined ? {} : { js: d.js }),
    };
  };
  const { name, summary, syntax, examples } = d;
  return { name, summary, syntax, examples, resolve, ...(d.aliases === undefined ? {} : { aliases: d.aliases }) };
}

/** Arguments of one overload of a hand-written `resolve`; `fn` takes them in the form of `args`. */
export const strict = (name: string, args: readonly SqlType[], returns: SqlType, fn: (...args: never[]) => Value | null, more: Partial<ScalarFn> = {}): ScalarFn =>
  ({ name, args, returns, nulls: 'propagate', fn: fn as ScalarFn['fn'], ...more });

/** UTF-16 units that a text result may have. */
export const MAX_TEXT = 1 << 24;

export function limited(length: number): void {
  if (length > MAX_TEXT) throw new RowError('user.data.overflow', `a text of ${length} characters is longer than ${MAX_TEXT}`);
}
