import { BIGINT, DOUBLE, isApproximate, isNumeric, type SqlType, type Value, type Wide } from '../../types.ts';
import { add, bigPow10, mul } from '../../values/wide.ts';
import { defineAggregate, type AggregateDef, type AggregateFn } from '../define.ts';
import { finite } from '../operators/arithmetic.ts';
import { withDistinct } from './distinct.ts';
import { countSlot, mergeCount, mergeWide, wideSlot } from './wide-slot.ts';

/** Whether the divisor is n - 1 and whether the root is taken. */
interface Kind {
  readonly sample: boolean;
  readonly root: boolean;
}

const finish = (variance: number, k: Kind): number => finite(k.root ? Math.sqrt(variance) : variance);

/** From the exact sums of x and x^2: the same in any order of rows. */
function exact(name: string, t: SqlType, k: Kind): AggregateFn {
  const unit = bigPow10(2 * t.s);
  return {
    name, args: [t], returns: DOUBLE, returnsNull: true, state: [countSlot('n'), wideSlot('sum', 0), wideSlot('squares', 0)],
    add: (state, at, g, x) => {
      const n = state[at] as Float64Array;
      const sums = state[at + 1] as Wide[];
      const squares = state[at + 2] as Wide[];
      n[g] = (n[g] as number) + 1;
      sums[g] = add(sums[g] as Wide, x as Wide);
      squares[g] = add(squares[g] as Wide, mul(x as Wide, x as Wide));
    },
    merge: (state, at, g, other, i) => {
      mergeCount(state, at, g, other, i);
      mergeWide(state, at + 1, g, other, i);
      mergeWide(state, at + 2, g, other, i);
    },
    result: (state, at, g): Value | null => {
      const count = state[at]?.[g] as number;
      if (count < (k.sample ? 2 : 1)) return null;
      const n = BigInt(count);
      const sum = BigInt(state[at + 1]?.[g] as Wide);
      const top = n * BigInt(state[at + 2]?.[g] as Wide) - sum * sum;
      return finish(ratio(top, n * (k.sample ? n - 1n : n) * unit), k);
    },
  };
}

/** top / bottom as a double; both may be far beyond 2^53. */
function ratio(top: bigint, bottom: bigint): number {
  const whole = top / bottom;
  const rest = top % bottom;
  return Number(whole) + Number((rest << 64n) / bottom) / 2 ** 64;
}

/** Welford's updating formulas (Technometrics 4, 1962): no cancellation between large sums. */
function doubles(name: string, t: SqlType, k: Kind): AggregateFn {
  const real = (slot: string) => ({ name: slot, repr: 'f64', column: 'REAL', init: () => 0 }) as const;
  return {
    name, args: [t], returns: DOUBLE, returnsNull: true, state: [countSlot('n'), real('mean'), real('m2')],
    add: (state, at, g, x) => {
      const [n, mean, m2] = [state[at], state[at + 1], state[at + 2]] as [Float64Array, Float64Array, Float64Array];
      const count = (n[g] as number) + 1;
      const before = (x as number) - (mean[g] as number);
      n[g] = count;
      mean[g] = (mean[g] as number) + before / count;
      m2[g] = (m2[g] as number) + before * ((x as number) - (mean[g] as number));
    },
    result: (state, at, g): Value | null => {
      const n = state[at]?.[g] as number;
      return n < (k.sample ? 2 : 1) ? null : finish((state[at + 2]?.[g] as number) / (k.sample ? n - 1 : n), k);
    },
  };
}

const spread = (name: string, aliases: readonly string[], k: Kind, summary: string, examples: AggregateDef['examples']): AggregateDef => defineAggregate({
  name, aliases, summary, syntax: `${name.toUpperCase()}([DISTINCT] number)`, examples,
  resolve: (args, distinct) => {
    const t = args[0]?.type;
    if (args.length !== 1 || t === undefined || (t.k !== 'null' && !isNumeric(t))) return 'expects (number)';
    const of = t.k === 'null' ? BIGINT : t;
    return withDistinct(isApproximate(of) ? doubles(name, of, k) : exact(name, of, k), distinct);
  },
});

export const spreads: readonly AggregateDef[] = [
  spread('stddev_pop', [], { sample: false, root: true }, 'Standard deviation of the population.', [{ values: ['2', '4', '4', '4', '5', '5', '7', '9'], sql: 'STDDEV_POP(x)', result: '2.0' }]),
  spread('stddev_samp', ['stddev'], { sample: true, root: true }, 'Standard deviation of a sample; NULL for fewer than two values.', [
    { values: ['1', '3'], sql: 'STDDEV(x)', result: '1.4142135623730951' }, { values: ['1'], sql: 'STDDEV_SAMP(x)', result: 'NULL' },
  ]),
  spread('var_pop', [], { sample: false, root: false }, 'Variance of the population.', [{ values: ['1.5', '2.5', 'NULL'], sql: 'VAR_POP(x)', result: '0.25' }, { values: ['1e0', '3e0'], sql: 'VAR_POP(x)', result: '1.0' }]),
  spread('var_samp', ['variance'], { sample: true, root: false }, 'Variance of a sample; NULL for fewer than two values.', [{ values: ['1', '2', '3', '3'], sql: 'VARIANCE(DISTINCT x)', result: '1.0' }]),
];
