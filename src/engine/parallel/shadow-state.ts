import type { SavedState, SqlValue, StateStore, StateTable, StateTx } from '../../state/store.ts';

/** What the state file holds of one grouping, as it crosses to a worker. Pieces lie in shared memory. */
export interface SavedGroups {
  readonly table: string;
  readonly rows: readonly (readonly SqlValue[])[];
  readonly pieces: readonly { readonly lead: number; readonly lane: number; readonly data: SharedArrayBuffer }[];
  readonly values: readonly (readonly [name: string, value: SqlValue])[];
}

/** One write of a worker's snapshot. */
export type StateWrite =
  | { readonly k: 'packed'; readonly lead: number; readonly lane: number; readonly seq: number; readonly groups: number; readonly data: Uint8Array }
  | { readonly k: 'delete'; readonly lead: number; readonly lane: number | null }
  | { readonly k: 'put'; readonly name: string; readonly value: SqlValue };

const NAMES = ['shape', 'closed', 'forwarded'] as const;

/** Reads the groups of `operator` for all workers; each keeps those of its share. */
export function readGroups(store: StateStore, operator: string, table: StateTable): SavedGroups {
  const rows = [...table.scan()].map(row => [...row]);
  const pieces = [...table.packed()].map(({ lead, lane, data }) => {
    const shared = new SharedArrayBuffer(data.length);
    new Uint8Array(shared).set(data);
    return { lead, lane, data: shared };
  });
  return { table: table.spec.name, rows, pieces, values: NAMES.flatMap(name => { const value = store.get(operator, name); return value === undefined ? [] : [[name, value] as const]; }) };
}

/** In a worker: the state of its one grouping, as it was when the pipeline opened. */
export function shadowState(saved: SavedGroups | null): SavedState {
  const values = new Map(saved?.values ?? []);
  return {
    table: spec => ({
      spec, scan: () => saved?.rows ?? [],
      packed: () => (saved?.pieces ?? []).map(({ lead, lane, data }) => ({ lead, lane, data: Buffer.from(data as unknown as ArrayBuffer) })),
      runs: () => [], spilledSizes: () => [], spilled: () => [],
    }),
    get: (_operator, name) => values.get(name as (typeof NAMES)[number]),
  };
}

/** Takes down a snapshot. A worker's groups are always packed: rows of one window could not be deleted worker by worker. */
export function recordTx(writes: StateWrite[]): StateTx {
  const rows = (): never => { throw new Error('the groups of a worker are packed'); };
  return {
    upsert: rows, deletePrefix: rows, putSpilled: rows, deleteSpilled: rows, dropBacklog: () => undefined,
    appendPacked: (_table, lead, lane, seq, groups, data) => { writes.push({ k: 'packed', lead, lane, seq, groups, data }); },
    deletePacked: (_table, lead, lane) => { writes.push({ k: 'delete', lead, lane }); },
    put: (_operator, name, value) => { writes.push({ k: 'put', name, value }); },
  };
}

/** The writes of all workers in the one transaction. What each of them says of itself becomes one: as far as all are, or as far as one has closed. */
export function applyWrites(tx: StateTx, operator: string, table: StateTable, all: readonly (readonly StateWrite[])[]): void {
  const values = new Map<string, SqlValue>();
  for (const writes of all) {
    for (const w of writes) {
      if (w.k === 'packed') tx.appendPacked(table, w.lead, w.lane, w.seq, w.groups, Buffer.from(w.data.buffer, w.data.byteOffset, w.data.length));
      else if (w.k === 'delete') tx.deletePacked(table, w.lead, w.lane);
      else values.set(w.name, together(w.name, values.get(w.name), w.value));
    }
  }
  for (const [name, value] of values) tx.put(operator, name, value);
}

function together(name: string, a: SqlValue | undefined, b: SqlValue): SqlValue {
  if (typeof a !== 'number' || typeof b !== 'number') return b;
  return name === 'forwarded' ? Math.min(a, b) : Math.max(a, b);
}
