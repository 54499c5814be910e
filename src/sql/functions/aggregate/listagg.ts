import { RowError } from '../../../errors.ts';
import { STRING } from '../../types.ts';
import { loadText, saveText } from '../../values/stored-text.ts';
import { defineAggregate, type AggregateFn } from '../define.ts';
import { MAX_TEXT } from '../overload.ts';
import { withDistinct } from './distinct.ts';

function joined(separator: string): AggregateFn {
  return {
    name: separator === ',' ? 'listagg' : `listagg ${JSON.stringify(separator)}`, args: [STRING], returns: STRING, returnsNull: true,
    state: [{ name: '', repr: 'any', column: 'TEXT', init: () => null, save: saveText, load: loadText }],
    add: (state, at, g, x) => {
      const column = state[at] as (string | null)[];
      const v = column[g] as string | null;
      // past the limit the result is an error whatever follows
      if (v === null) column[g] = x as string;
      else if (v.length <= MAX_TEXT) column[g] = v + separator + (x as string);
    },
    merge: (state, at, g, other, i) => {
      const column = state[at] as (string | null)[];
      const [v, x] = [column[g] as string | null, other[at]?.[i] as string | null];
      if (v === null) column[g] = x;
      else if (x !== null && v.length <= MAX_TEXT) column[g] = v + separator + x;
    },
    result: (state, at, g) => {
      const v = state[at]?.[g] as string | null;
      if (v !== null && v.length > MAX_TEXT) throw new RowError('user.data.overflow', `LISTAGG is longer than ${MAX_TEXT} characters`);
      return v;
    },
    bytes: (state, at, g) => 2 * ((state[at]?.[g] as string | null)?.length ?? 0),
  };
}

export const listagg = defineAggregate({
  name: 'listagg', aliases: ['string_agg'], summary: 'The values as one text, in order of arrival, with a separator (a comma unless given).', syntax: "LISTAGG([DISTINCT] any [, 'separator'])",
  resolve: (args, distinct) => {
    const separator = args.length === 1 ? ',' : args[1]?.literal;
    if (args.length < 1 || args.length > 2 || typeof separator !== 'string') return "expects (any [, 'separator'])";
    return withDistinct(joined(separator), distinct);
  },
  examples: [
    { values: ["'a'", 'NULL', "'b'"], sql: 'LISTAGG(x)', result: 'a,b' },
    { values: ["'a'", "'b'", "'a'"], sql: "STRING_AGG(DISTINCT x, ' + ')", result: 'a + b' },
    { values: ['NULL'], sql: 'LISTAGG(x)', result: 'NULL' },
  ],
});
