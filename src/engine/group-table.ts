import { identifier } from '../plan/identifier.ts';
import type { Aggregate } from '../plan/physical.ts';
import type { StateSlot } from '../sql/functions/define.ts';
import { printDecimal, parseDecimal } from '../sql/values/decimal.ts';
import { loadText, saveText } from '../sql/values/stored-text.ts';
import { reprOf, type SqlType, type Value, type Wide } from '../sql/types.ts';
import type { SqlValue, StateTable, TableSpec } from '../state/store.ts';

/** How a group key is held in its column of the state table: readable, and exact both ways. */
export interface KeyColumn {
  readonly type: 'INTEGER' | 'REAL' | 'TEXT' | 'BLOB';
  save(v: Value | null): SqlValue;
  load(v: SqlValue): Value | null;
}

export function keyColumn(t: SqlType): KeyColumn {
  if (t.k === 'decimal') {
    return {
      type: 'TEXT',
      save: v => (v === null ? null : printDecimal(v as Wide, t.s)),
      load: v => (v === null ? null : (parseDecimal(v as string, t.p, t.s) as Wide)),
    };
  }
  const same = { save: (v: Value | null) => v as SqlValue, load: (v: SqlValue) => v as Value | null };
  switch (reprOf(t)) {
    case 'bool': return { type: 'INTEGER', save: v => (v === null ? null : v === true ? 1 : 0), load: v => (v === null ? null : v === 1) };
    case 'text': return { type: 'TEXT', save: saveText, load: loadText };
    case 'bytes': return { type: 'BLOB', ...same };
    case 'wide': return { type: 'INTEGER', ...same };
    case 'f64': return { type: t.k === 'double' || t.k === 'float' ? 'REAL' : 'INTEGER', ...same };
  }
}

/** What of an aggregate is needed to read its state, and to fold parts of it together. */
export type GroupFn = Pick<AggregateFn, 'state'> & Partial<Pick<AggregateFn, 'merge' | 'add'>>;
type AggregateFn = Aggregate['calls'][number]['fn'];

/** What of a grouping says how its groups lie in the state file. */
export interface GroupLayout {
  readonly window: unknown;
  readonly keys: readonly { readonly type: SqlType }[];
  readonly calls: readonly { readonly fn: GroupFn }[];
}

/** A table that nothing was saved in. */
export const emptyTable = (spec: TableSpec): StateTable => ({ spec, scan: () => [], packed: () => [], runs: () => [], spilledSizes: () => [], spilled: () => [] });

/** An aggregate's columns begin with its SQL, cut here. */
const MAX_NAME = 40;

/** Columns: window_end, keys, window_start (where there is a window), pending (where there is none), slots as `sum_amount_lo`. */
export function groupTable(a: Aggregate): TableSpec {
  const used = new Set<string>(['window_end', 'window_start', 'pending']);
  const unique = (wanted: string): string => {
    let name = wanted;
    for (let n = 2; used.has(name); n++) name = `${wanted}_${n}`;
    used.add(name);
    return name;
  };
  // a table has a key: without a window and without GROUP BY it is a constant
  const lead = a.window !== null ? ['window_end'] : a.keys.length === 0 ? ['id'] : [];
  const time = lead.map(name => ({ name, type: 'INTEGER' as const }));
  const keys = a.keys.map((k, j) => ({ name: unique(identifier(a.keyNames[j] as string)), type: keyColumn(k.type).type }));
  const slots = a.calls.flatMap(c => {
    const base = identifier(c.text.slice(0, MAX_NAME));
    return c.fn.state.map((s: StateSlot) => ({ name: unique(s.name === '' ? base : `${base}_${s.name}`), type: s.column }));
  });
  const rest = a.window === null ? [{ name: 'pending', type: 'INTEGER' as const }] : [{ name: 'window_start', type: 'INTEGER' as const }];
  return { name: identifier(a.id), key: time.length + keys.length, columns: [...time, ...keys, ...rest, ...slots] };
}
