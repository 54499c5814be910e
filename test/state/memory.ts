import type { SqlValue, StateStore, StateTable, TableSpec } from '../../src/state/store.ts';

/** State that keeps nothing: for tests of operators that never restart. */
export function memoryState(): StateStore {
  return {
    stateId: 'memory', fresh: true,
    table: (spec: TableSpec): StateTable => ({ spec, scan: () => [] as readonly (readonly SqlValue[])[], packed: () => [], runs: () => [], spilledSizes: () => [], spilled: () => [] }),
    plan: () => null, shapes: () => new Map(), holds: () => false, partial: () => new Set(), onDisk: () => false, claim: () => undefined, stage: () => undefined, unstage: () => undefined, backlog: () => null, deadRecords: () => new Set(),
    get: () => undefined,
    saved: () => ({ epoch: 0, delivery: 0, positions: [], watermarks: new Map(), counters: new Map() }),
    outbox: () => [], commit: () => undefined, clearOutbox: () => undefined, checkpoint: () => undefined, letters: { pending: () => null, begin: () => undefined, settle: () => undefined, drop: () => 0 }, close: () => undefined,
  };
}
