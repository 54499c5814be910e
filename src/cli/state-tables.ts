import type { CompiledPipeline } from '../config/compile.ts';
import { GroupRows } from '../engine/group-rows.ts';
import { groupTable } from '../engine/group-table.ts';
import type { StateReader } from '../state/reader.ts';
import type { SqlValue } from '../state/store.ts';

/** A table of a state file as a person reads it: the rows of a grouping whether they lie there as rows, packed, or as runs to be folded together. */
export interface ReadableTable {
  readonly name: string;
  readonly columns: readonly string[];
  rows(): Iterable<readonly SqlValue[]>;
}

export function readableTables(reader: StateReader, { plan }: CompiledPipeline): readonly ReadableTable[] {
  const groupings = new Map<string, GroupRows>(plan.operators.flatMap(o => (o.k === 'aggregate' ? [[`state_${groupTable(o).name}`, new GroupRows(o)] as const] : [])));
  return [...reader.tables()].map(([name, columns]) => ({
    name, columns,
    *rows() {
      yield* reader.rows(name);
      const grouping = groupings.get(name);
      if (grouping === undefined) return;
      yield* grouping.unpack(reader.packed(name));
      yield* grouping.merge(reader.spilled(name));
    },
  }));
}
