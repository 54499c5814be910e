import { BIGINT } from '../../types.ts';
import { defineAggregate, type AggregateFn } from '../define.ts';
import { withDistinct } from './distinct.ts';
import { countSlot, mergeCount } from './wide-slot.ts';

export const count = defineAggregate({
  name: 'count', summary: 'Number of rows, or of values that are not NULL.', syntax: 'COUNT(* | [DISTINCT] any)',
  resolve: (args, distinct): AggregateFn | string => {
    if (args.length > 1) return 'expects (*) or one argument';
    const fn: AggregateFn = {
      name: 'count', args: args.map(a => a.type), returns: BIGINT, returnsNull: false, state: [countSlot('')],
      add: (state, at, g) => { (state[at] as Float64Array)[g] = ((state[at] as Float64Array)[g] as number) + 1; },
      addJs: s => `${s['']}++;`,
      merge: mergeCount,
      result: (state, at, g) => state[at]?.[g] as number,
    };
    return args.length === 0 ? fn : withDistinct(fn, distinct);
  },
  examples: [
    { values: ['1', 'NULL', '1'], sql: 'COUNT(*)', result: '3' },
    { values: ['1', 'NULL', '1'], sql: 'COUNT(x)', result: '2' },
    { values: ["'a'", "'b'", "'a'", 'NULL'], sql: 'COUNT(DISTINCT x)', result: '2' },
  ],
});
