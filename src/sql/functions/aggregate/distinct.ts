import { reprOf, type SqlType, type Value } from '../../types.ts';
import { canonical } from '../../values/wide.ts';
import type { AggregateFn, StateSlot } from '../define.ts';

/** Set entry and value; measured on short texts. */
const ENTRY_BYTES = 48;

/** What two equal values share: bytes as text, so that they are found in a Set. */
const identity = (v: Value): Value => (v instanceof Uint8Array ? Buffer.from(v.buffer, v.byteOffset, v.length).latin1Slice() : v);

/** A set as JSON text; integers beyond 2^53 as text, which `load` tells by the type. */
function setSlot(t: SqlType): StateSlot {
  const wide = reprOf(t) === 'wide';
  return {
    name: 'seen', repr: 'any', column: 'TEXT', init: () => null,
    save: v => (v === null ? null : JSON.stringify([...(v as Set<Value>)].map(x => (wide ? String(x) : x)))),
    load: v => (v === null ? null : new Set((JSON.parse(v as string) as Value[]).map(x => (wide ? canonical(BigInt(x as string)) : x)))),
  };
}

/** `fn` over each value once; the set of values seen stands before its own slots. */
export function withDistinct(fn: AggregateFn, distinct: boolean): AggregateFn {
  if (!distinct) return fn;
  const { bytes } = fn;
  const [t] = fn.args as readonly [SqlType];
  const text = reprOf(t) === 'text' || reprOf(t) === 'bytes';
  const size = (seen: ReadonlySet<Value> | null): number => {
    if (seen === null) return 0;
    if (!text) return seen.size * ENTRY_BYTES;
    let n = seen.size * ENTRY_BYTES;
    for (const v of seen) n += 2 * (v as string).length;
    return n;
  };
  const inner = fn.state.map(s => ({ ...s, name: s.name === '' ? 'result' : s.name }));
  return {
    name: `${fn.name} distinct`, args: fn.args, returns: fn.returns, returnsNull: fn.returnsNull, state: [setSlot(t), ...inner],
    add: (state, at, g, x) => {
      const sets = state[at] as (Set<Value> | null)[];
      const seen = (sets[g] ??= new Set());
      const before = seen.size;
      seen.add(identity(x as Value));
      if (seen.size > before) fn.add(state, at + 1, g, x as Value);
    },
    merge: (state, at, g, other, i) => {
      const sets = state[at] as (Set<Value> | null)[];
      const more = other[at]?.[i] as ReadonlySet<Value> | null;
      if (more === null) return;
      const seen = (sets[g] ??= new Set());
      for (const x of more) {
        if (seen.has(x)) continue;
        seen.add(x);
        fn.add(state, at + 1, g, x);
      }
    },
    result: (state, at, g) => fn.result(state, at + 1, g),
    bytes: (state, at, g) => size(state[at]?.[g] as Set<Value> | null) + (bytes?.(state, at + 1, g) ?? 0),
  };
}
