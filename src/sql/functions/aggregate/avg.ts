import { BIGINT, DOUBLE, decimal, isApproximate, isInteger, isNumeric, reprOf, type SqlType, type Value, type Wide } from '../../types.ts';
import { add, bigPow10, canonical, divHalfUp } from '../../values/wide.ts';
import { defineAggregate, type AggregateFn, type StateColumn } from '../define.ts';
import { MAX_PRECISION } from '../numeric-types.ts';
import { finite } from '../operators/arithmetic.ts';
import { withDistinct } from './distinct.ts';
import { addExact, addExactJs, exactSum, mergeExact, sumSlots } from './exact-sum.ts';
import { doubleSlot } from './sum.ts';
import { countSlot, mergeCount, mergeWide, wideSlot } from './wide-slot.ts';

/** AVG of whole numbers is DOUBLE, of DECIMAL(p,s) DECIMAL(38, max(6, s)) rounded half up: both from the exact sum. */
function avgOf(t: SqlType): AggregateFn {
  if (isApproximate(t)) return doubles(t);
  const scale = Math.max(6, t.s);
  const returns = isInteger(t) ? DOUBLE : decimal(MAX_PRECISION, scale);
  const up = bigPow10(scale - t.s);
  const mean = (sum: Wide | null, n: number): Value | null => {
    if (sum === null) return null;
    if (isInteger(t)) return typeof sum === 'number' ? sum / n : Number(sum) / n;
    return canonical(divHalfUp(BigInt(sum) * up, BigInt(n)));
  };
  const count = (state: readonly StateColumn[], at: number, g: number): void => { (state[at] as Float64Array)[g] = ((state[at] as Float64Array)[g] as number) + 1; };
  if (reprOf(t) === 'f64') {
    return {
      name: 'avg', args: [t], returns, returnsNull: true, state: [...sumSlots, countSlot('n')],
      add: (state, at, g, x) => { addExact(state, at, g, x as number); count(state, at + 2, g); },
      addJs: (s, [x]) => `${addExactJs(s, x as string)} ${s['n']}++;`,
      merge: (state, at, g, other, i) => { mergeExact(state, at, g, other, i); mergeCount(state, at + 2, g, other, i); },
      result: (state, at, g) => mean(exactSum(state, at, g), state[at + 2]?.[g] as number),
    };
  }
  return {
    name: 'avg', args: [t], returns, returnsNull: true, state: [wideSlot('sum', null), countSlot('n')],
    add: (state, at, g, x) => {
      const column = state[at] as (Wide | null)[];
      column[g] = add(column[g] ?? 0, x as Wide);
      count(state, at + 1, g);
    },
    merge: (state, at, g, other, i) => { mergeWide(state, at, g, other, i); mergeCount(state, at + 1, g, other, i); },
    result: (state, at, g) => mean(state[at]?.[g] as Wide | null, state[at + 1]?.[g] as number),
  };
}

function doubles(t: SqlType): AggregateFn {
  return {
    name: 'avg', args: [t], returns: DOUBLE, returnsNull: true, state: [doubleSlot('sum'), countSlot('n')],
    add: (state, at, g, x) => {
      const sum = state[at] as Float64Array;
      const n = state[at + 1] as Float64Array;
      const v = sum[g] as number;
      sum[g] = v === v ? v + (x as number) : (x as number);
      n[g] = (n[g] as number) + 1;
    },
    addJs: (s, [x]) => `${s['sum']} = ${s['sum']} === ${s['sum']} ? ${s['sum']} + ${x} : ${x}; ${s['n']}++;`,
    result: (state, at, g) => {
      const v = state[at]?.[g] as number;
      return v === v ? finite(v / (state[at + 1]?.[g] as number)) : null;
    },
  };
}

export const avg = defineAggregate({
  name: 'avg', summary: 'Mean: DOUBLE of whole numbers, an exactly rounded DECIMAL of DECIMALs; NULL when there is no value.', syntax: 'AVG([DISTINCT] number)',
  resolve: (args, distinct) => {
    const t = args[0]?.type;
    if (args.length !== 1 || t === undefined || (t.k !== 'null' && !isNumeric(t))) return 'expects (number)';
    return withDistinct(avgOf(t.k === 'null' ? BIGINT : t), distinct);
  },
  examples: [
    { values: ['1', '2', 'NULL', '4'], sql: 'AVG(x)', result: '2.3333333333333335' },
    { values: ['1.00', '2.00', '4.00'], sql: 'AVG(x)', result: '2.333333' },
    { values: ['NULL'], sql: 'AVG(x)', result: 'NULL' },
    { values: ['3', '3', '6'], sql: 'AVG(DISTINCT x)', result: '4.5' },
  ],
});
