import type { SqlValue, StateStore, StateTable, TableSpec } from '../../src/state/store.ts';

/** State that keeps nothing: for tests of operators that never restart. */
export function memoryState(): StateStore {
  return {
    stateId: 'memory', fresh: true,
    table: (spec: TableSpec): StateTable => ({ spec, scan: () => [] as readonly (readonly SqlValue[])[], packed: () => [], runs: () => [], spilledSizes: () => [], spilled: () => [] }),
    unclaimed: () => [],
    get: () => undefined,
    saved: () => ({ epoch: 0, delivery: 0, positions: [], watermarks: new Map(), counters: new Map() }),
    outbox: () => [], commit: () => undefined, clearOutbox: () => undefined, checkpoint: () => undefined, close: () => undefined,
  };
}
