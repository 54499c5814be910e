import type { Code } from '../errors.ts';

export type SqlValue = number | bigint | string | Uint8Array | null;

/** One table of an operator. Primary key = the first `key` columns. */
export interface TableSpec {
  /** `[a-z0-9_]+`, unique in the pipeline; the table in the file is `state_<name>`. */
  readonly name: string;
  readonly key: number;
  readonly columns: readonly { readonly name: string; readonly type: 'INTEGER' | 'REAL' | 'TEXT' | 'BLOB' }[];
}

export interface StateTable {
  readonly spec: TableSpec;
  /** All rows in key order, values in column order; integers beyond 2^53 as bigint, all others as number. The array is reused. */
  scan(): Iterable<readonly SqlValue[]>;
  /** Packed pieces by `lead`, then lane by lane in their order; a table has rows or pieces for one lead, not both. */
  packed(): Iterable<PackedChunk>;
  /** What every run of panes that left memory takes, by window and run. */
  runs(): readonly SpilledRun[];
  /** Sizes of all pieces of a window. */
  spilledSizes(lead: number): readonly PieceSize[];
  /** Pieces that may hold groups of the hash partitions [from, to), of runs from `first` on, run by run. */
  spilled(lead: number, from: number, to: number, first: number): Iterable<SpilledPiece>;
}

/** Hash partitions of a window that has left memory. */
export const PARTS = 4096;

export interface PieceSize {
  /** The piece has groups of partitions [part, part + span); `span` is a power of two that `part` is a multiple of. */
  readonly part: number;
  readonly span: number;
  readonly bytes: number;
}

/** Bytes that only their writer knows, of one run of one window. */
export interface SpilledPiece {
  readonly lead: number;
  /** Start of the window, epoch ms; 0 without a window. */
  readonly start: number;
  readonly part: number;
  readonly span: number;
  readonly run: number;
  readonly groups: number;
  readonly data: Buffer;
}

export interface SpilledRun {
  readonly lead: number;
  readonly start: number;
  readonly run: number;
  readonly groups: number;
  readonly bytes: number;
}

/** A second form of rows for many groups at once: bytes that only their writer knows. */
export interface PackedChunk {
  /** The window's end (epoch ms), or 0. */
  readonly lead: number;
  /** Which worker wrote it: the pieces of a lane belong together, those of two lanes hold other keys. */
  readonly lane: number;
  readonly data: Buffer;
}

/** Pieces of one lane and lead are fewer than this. */
export const LANE_PIECES = 2 ** 32;

/** Writes of one epoch; all become durable together. */
export interface StateTx {
  /** `flat` holds `rows` rows of all columns, one after the other, sorted by key by the caller; existing keys are replaced. */
  upsert(table: StateTable, flat: readonly SqlValue[], rows: number): void;
  /** Deletes by a prefix of the key columns. */
  deletePrefix(table: StateTable, prefix: readonly SqlValue[]): void;
  /** Piece `seq` of what a lane has packed for `lead`; `groups` of it are told to readers of the file. */
  appendPacked(table: StateTable, lead: number, lane: number, seq: number, groups: number, data: Buffer): void;
  /** The pieces of one lane, or of all (null). */
  deletePacked(table: StateTable, lead: number, lane: number | null): void;
  /** One piece of a run, in the place of the one with the same `lead`, `part` and `run`. */
  putSpilled(table: StateTable, piece: SpilledPiece): void;
  /** Pieces of a window that lie within [from, to), of the runs from `first` to `last`. */
  deleteSpilled(table: StateTable, lead: number, from: number, to: number, first: number, last: number): void;
  /** Small named values of an operator (its closed_before, a cursor). */
  put(operator: string, name: string, value: SqlValue): void;
}

export interface Position {
  readonly source: string;
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  /** Next offset to read. */
  readonly next: number;
  /** Highest event time seen (epoch ms), or -Infinity. */
  readonly maxEventTime: number;
}

export interface OutBlock {
  readonly topic: string;
  readonly partition: number;
  readonly rows: number;
  /** A block of records, see engine/block.ts. */
  readonly data: Buffer;
}

export interface DeadLetter {
  readonly source: string;
  readonly operator: string | null;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly code: Code;
  readonly message: string;
  /** file:line:col of the SQL that failed, or null. */
  readonly place: string | null;
  readonly key: Uint8Array | null;
  /** Cut at 1 MB; `size` is the full length. */
  readonly value: Uint8Array | null;
  readonly size: number;
}

/** The last durable epoch. `delivery` is the last epoch that had output: it lags `epoch` when nothing was to be sent. */
export interface Saved {
  readonly epoch: number;
  readonly delivery: number;
  readonly positions: readonly Position[];
  /** Watermark by source, epoch ms. */
  readonly watermarks: ReadonlyMap<string, number>;
  readonly counters: ReadonlyMap<string, number>;
}

export interface EpochWrite {
  readonly epoch: number;
  /** `epoch` when `out` is not empty, else as before. */
  readonly delivery: number;
  readonly positions: Iterable<Position>;
  readonly watermarks: ReadonlyMap<string, number>;
  /** Totals since the state began, by name such as `records_in`. */
  readonly counters: ReadonlyMap<string, number>;
  readonly deadLetters: readonly DeadLetter[];
  readonly out: readonly OutBlock[];
}

/** Ways on when open windows were counted under other SQL. */
export const OTHER_SQL = 'undo the edit, let the open windows close under the old file first, rename the pipeline, or start again with --reset-state';

/** What operators read when they open. */
export interface SavedState {
  /** Declares a table; one of other columns is made anew when it is empty, else it is `system.state.incompatible`. */
  table(spec: TableSpec): StateTable;
  get(operator: string, name: string): SqlValue | undefined;
}

/** State of one pipeline on one log: one SQLite file, one writer. */
export interface StateStore extends SavedState {
  /** Random, made with the file; a reset makes a new one. */
  readonly stateId: string;
  /** True when no epoch has been committed. */
  readonly fresh: boolean;
  /** Names of tables that hold rows and were not declared: state of groupings that are no longer in the file. */
  unclaimed(): readonly string[];
  saved(): Saved;
  /** The undelivered outbox (of epoch `delivery`), in insertion order; empty when delivered or none. */
  outbox(): readonly OutBlock[];
  /** ONE transaction, durable on return (synchronous=FULL): the commit point. Outbox rows of earlier epochs are deleted in it. */
  commit(e: EpochWrite, write: (tx: StateTx) => void): void;
  /** Forgets the outbox: its epoch is known to be delivered (clean stop). */
  clearOutbox(): void;
  /** Moves the WAL into the file; called between commits, never inside one. */
  checkpoint(): void;
  close(): void;
}
