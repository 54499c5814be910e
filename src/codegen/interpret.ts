import { RowError } from '../errors.ts';
import type { Batch, Column } from '../engine/batch.ts';
import type { Expr } from '../sql/bound.ts';
import { reprOf, type Value } from '../sql/types.ts';
import { TextColumn } from '../sql/values/text-column.ts';

/** One row of a batch; `extra` are the values of the columns beyond the batch's own (a window's start, end, time). */
export type Closure = (b: Batch, i: number, extra: readonly number[]) => Value | null;

/**
 * The same expressions as closures: used by --jit=off, where code may not be made from strings, as the oracle of the
 * generated code, and to find the place of a row error. `width` is the number of columns of the batch.
 */
export function interpret(e: Expr, width: number): Closure {
  switch (e.k) {
    case 'col': return column(e, width);
    case 'lit': { const { value } = e; return () => value; }
    case 'call': return call(e, width);
    case 'and': return logic(e.args.map(a => interpret(a, width)), false);
    case 'or': return logic(e.args.map(a => interpret(a, width)), true);
    case 'not': { const a = interpret(e.arg, width); return (b, i, x) => { const v = a(b, i, x); return v === null ? null : v === false; }; }
    case 'is': return is(e, width);
    case 'case': return when(e, width);
    case 'try': {
      const a = interpret(e.arg, width);
      return (b, i, x) => { try { return a(b, i, x); } catch (error) { if (error instanceof RowError) return null; throw error; } };
    }
  }
}

function column(e: Expr & { k: 'col' }, width: number): Closure {
  const { index } = e;
  if (index >= width) return (_b, _i, extra) => extra[index - width] as number;
  const bool = reprOf(e.type) === 'bool';
  return (b, i) => {
    const nulls = b.nulls[index] as Uint8Array | null;
    if (nulls !== null && nulls[i] === 1) return null;
    const column = b.cols[index] as Column;
    if (column instanceof TextColumn) return column.at(i);
    const v = column[i] as Value;
    return bool ? v === 1 : v;
  };
}

function call(e: Expr & { k: 'call' }, width: number): Closure {
  const args = e.args.map(a => interpret(a, width));
  const strict = e.fn.nulls === 'propagate';
  return (b, i, extra) => {
    // all of them, as generated code does: one that fails is a row error though another is NULL
    const values = args.map(a => a(b, i, extra));
    if (strict && values.includes(null)) return null;
    try {
      return e.fn.fn(...values);
    } catch (error) {
      if (error instanceof RowError) error.at ??= e.at;
      throw error;
    }
  };
}

/** FALSE decides AND, TRUE decides OR; else NULL if any is NULL. */
function logic(args: readonly Closure[], decisive: boolean): Closure {
  return (b, i, extra) => {
    let unknown = false;
    for (const a of args) {
      const v = a(b, i, extra);
      if (v === decisive) return decisive;
      if (v === null) unknown = true;
    }
    return unknown ? null : !decisive;
  };
}

function is(e: Expr & { k: 'is' }, width: number): Closure {
  const a = interpret(e.arg, width);
  const wanted = e.what === 'null' ? null : e.what === 'true';
  return (b, i, extra) => (a(b, i, extra) === wanted) !== e.not;
}

function when(e: Expr & { k: 'case' }, width: number): Closure {
  const whens = e.whens.map(w => [interpret(w.when, width), interpret(w.then, width)] as const);
  const otherwise = interpret(e.else, width);
  return (b, i, extra) => {
    for (const [condition, value] of whens) if (condition(b, i, extra) === true) return value(b, i, extra);
    return otherwise(b, i, extra);
  };
}
