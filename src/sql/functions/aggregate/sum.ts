import { RowError } from '../../../errors.ts';
import { BIGINT, DOUBLE, decimal, isApproximate, isInteger, isNumeric, reprOf, typeName, type SqlType, type Wide } from '../../types.ts';
import { add, fitsBigint, fitsDigits } from '../../values/wide.ts';
import { defineAggregate, type AggregateFn, type StateSlot } from '../define.ts';
import { MAX_PRECISION } from '../numeric-types.ts';
import { finite } from '../operators/arithmetic.ts';
import { withDistinct } from './distinct.ts';
import { addExact, addExactJs, exactSum, mergeExact, sumSlots } from './exact-sum.ts';
import { mergeWide, wideSlot } from './wide-slot.ts';

const tooLarge = (t: SqlType): RowError => new RowError('user.data.overflow', `the sum does not fit ${typeName(t)}`);

/** SUM of whole numbers is BIGINT, of DECIMAL(p,s) DECIMAL(38,s), else DOUBLE. The check comes at the end: what goes over and comes back fits. */
function sumOf(t: SqlType): AggregateFn {
  if (isApproximate(t)) return doubles(t);
  const returns = isInteger(t) ? BIGINT : decimal(MAX_PRECISION, t.s);
  const checked = (v: Wide | null): Wide | null => {
    if (v !== null && !(isInteger(t) ? fitsBigint(v) : fitsDigits(v, MAX_PRECISION))) throw tooLarge(returns);
    return v;
  };
  if (reprOf(t) === 'f64') {
    return {
      name: 'sum', args: [t], returns, returnsNull: true, state: sumSlots,
      add: addExact as AggregateFn['add'], addJs: (s, [x]) => addExactJs(s, x as string), merge: mergeExact, result: (state, at, g) => checked(exactSum(state, at, g)),
    };
  }
  return {
    name: 'sum', args: [t], returns, returnsNull: true, state: [wideSlot('', null)],
    add: (state, at, g, x) => {
      const column = state[at] as (Wide | null)[];
      const v = column[g] as Wide | null;
      column[g] = v === null ? (x as Wide) : add(v, x as Wide);
    },
    merge: mergeWide,
    result: (state, at, g) => checked(state[at]?.[g] as Wide | null),
  };
}

/** NaN is the sum of nothing: no DOUBLE of a column is NaN. */
export const doubleSlot = (name: string): StateSlot => ({
  name, repr: 'f64', column: 'REAL', init: () => NaN, save: v => (Number.isNaN(v) ? null : (v as number)), load: v => (v === null ? NaN : v),
});

function doubles(t: SqlType): AggregateFn {
  return {
    name: 'sum', args: [t], returns: DOUBLE, returnsNull: true, state: [doubleSlot('')],
    add: (state, at, g, x) => {
      const column = state[at] as Float64Array;
      const v = column[g] as number;
      column[g] = v === v ? v + (x as number) : (x as number);
    },
    addJs: (s, [x]) => `${s['']} = ${s['']} === ${s['']} ? ${s['']} + ${x} : ${x};`,
    result: (state, at, g) => {
      const v = state[at]?.[g] as number;
      return v === v ? finite(v) : null;
    },
  };
}

export const sum = defineAggregate({
  name: 'sum', summary: 'Exact sum of whole numbers and DECIMALs; NULL when there is no value.', syntax: 'SUM([DISTINCT] number)',
  resolve: (args, distinct) => {
    const t = args[0]?.type;
    if (args.length !== 1 || t === undefined || (t.k !== 'null' && !isNumeric(t))) return 'expects (number)';
    return withDistinct(sumOf(t.k === 'null' ? BIGINT : t), distinct);
  },
  examples: [
    { values: ['0.10', '0.20', 'NULL'], sql: 'SUM(x)', result: '0.30' },
    { values: ['9007199254740993', '1'], sql: 'SUM(x)', result: '9007199254740994' },
    { values: ['1', '1', '2'], sql: 'SUM(DISTINCT x)', result: '3' },
    { values: ['1e0', '0.5e0'], sql: 'SUM(x)', result: '1.5' },
    { values: ['NULL'], sql: 'SUM(x)', result: 'NULL' },
  ],
});
