import { reprOf, type SqlType, type Value } from '../../types.ts';
import { defineAggregate, type AggregateDef, type AggregateFn, type StateSlot } from '../define.ts';
import { orderOf } from '../operators/compare.ts';
import { loadText, saveText } from '../../values/stored-text.ts';
import { doubleSlot } from './sum.ts';
import { wideSlot } from './wide-slot.ts';

function slotOf(t: SqlType): StateSlot {
  switch (reprOf(t)) {
    case 'f64': return t.k === 'double' || t.k === 'float' ? doubleSlot('') : { ...doubleSlot(''), column: 'INTEGER' };
    case 'wide': return wideSlot('', null);
    case 'bool': return { name: '', repr: 'any', column: 'INTEGER', init: () => null, save: v => (v === null ? null : v === true ? 1 : 0), load: v => (v === null ? null : v === 1) };
    case 'text': return { name: '', repr: 'any', column: 'TEXT', init: () => null, save: saveText, load: loadText };
    case 'bytes': return { name: '', repr: 'any', column: 'BLOB', init: () => null };
  }
}

function extremeOf(name: string, t: SqlType, sign: 1 | -1): AggregateFn {
  const shared = { name, args: [t], returns: t, returnsNull: true, state: [slotOf(t)] };
  if (reprOf(t) === 'f64') {
    const keep = sign < 0 ? '<=' : '>=';
    return {
      ...shared,
      add: (state, at, g, x) => {
        const column = state[at] as Float64Array;
        const v = column[g] as number;
        // NaN, nothing so far, compares false
        if (!(sign < 0 ? v <= (x as number) : v >= (x as number))) column[g] = x as number;
      },
      merge: (state, at, g, other, i) => {
        const column = state[at] as Float64Array;
        const [v, x] = [column[g] as number, other[at]?.[i] as number];
        if (x === x && !(sign < 0 ? v <= x : v >= x)) column[g] = x;
      },
      addJs: (s, [x]) => `if (!(${s['']} ${keep} ${x})) ${s['']} = ${x};`,
      result: (state, at, g) => {
        const v = state[at]?.[g] as number;
        return v === v ? v : null;
      },
    };
  }
  const order = orderOf(t);
  const bytes = (v: unknown): number => (typeof v === 'string' ? 2 * v.length : v instanceof Uint8Array ? v.length : 0);
  return {
    ...shared,
    add: (state, at, g, x) => {
      const column = state[at] as (Value | null)[];
      const v = column[g] as Value | null;
      if (v === null || order(x as Value, v) * sign > 0) column[g] = x as Value;
    },
    merge: (state, at, g, other, i) => {
      const column = state[at] as (Value | null)[];
      const [v, x] = [column[g] as Value | null, other[at]?.[i] as Value | null];
      if (x !== null && (v === null || order(x, v) * sign > 0)) column[g] = x;
    },
    result: (state, at, g) => state[at]?.[g] as Value | null,
    ...(reprOf(t) === 'text' || reprOf(t) === 'bytes' ? { bytes: (state, at, g) => bytes(state[at]?.[g]) } : {}),
  };
}

const extreme = (name: string, sign: 1 | -1, summary: string, examples: AggregateDef['examples']): AggregateDef => defineAggregate({
  name, summary, syntax: `${name.toUpperCase()}(any)`, examples,
  // DISTINCT changes nothing
  resolve: args => (args.length === 1 ? extremeOf(name, (args[0] as { readonly type: SqlType }).type, sign) : 'expects (any)'),
});

export const min = extreme('min', -1, 'Least value; texts by code point; NULL when there is no value.', [
  { values: ['3', 'NULL', '-1'], sql: 'MIN(x)', result: '-1' }, { values: ["'b'", "'Z'"], sql: 'MIN(x)', result: 'Z' }, { values: ['NULL'], sql: 'MIN(x)', result: 'NULL' },
]);
export const max = extreme('max', 1, 'Greatest value; texts by code point; NULL when there is no value.', [
  { values: ['3.5', '10.0'], sql: 'MAX(x)', result: '10.0' }, { values: ['9007199254740993', '1'], sql: 'MAX(DISTINCT x)', result: '9007199254740993' }, { values: ['TRUE', 'FALSE'], sql: 'MAX(x)', result: 'TRUE' },
]);
