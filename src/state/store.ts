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
  /** The backlog up to and with `last` is in the outbox of this epoch. */
  dropBacklog(last: number): void;
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

/** Dead letters on their way back to a topic, as one delivery. */
export interface Replay {
  /** Number of the delivery: that of the next epoch. */
  readonly epoch: number;
  /** Records that are sent. */
  readonly records: number;
  /** Rows of the table `dead_letters` that they were made from. */
  readonly letters: readonly number[];
  /** Records of dead-letter topics that they were made from. */
  readonly marks: readonly ReplayMark[];
}

export interface ReplayMark {
  readonly topicId: string;
  readonly partition: number;
  /** First offset that is still there: marks of older ones are forgotten. */
  readonly first: number;
  readonly offsets: readonly number[];
}

/**
 * Dead letters that leave. A replay is noted before it is sent and settled when its delivery is known: a process that dies in
 * between leaves the note, and whoever recovers next asks the log. Each call is one durable transaction.
 */
export interface LetterBook {
  /** A replay whose delivery is not known. */
  pending(): Replay | null;
  begin(r: Replay): void;
  /** `sent`: its letters are gone, and its delivery counts as an epoch. Otherwise they stay. */
  settle(sent: boolean): void;
  /** Deletes rows of `dead_letters`; how many there were. */
  drop(ids: readonly number[]): number;
}

/** What to do with a state file that cannot be used. */
export const WAYS_OUT = 'restore a copy of it (pipe state restore), or start again with --reset-state (it reads the topics from their start and sends rows a second time)';

/** Ways on when a state was made by another file. */
export const OTHER_SQL = 'put it back as it was; or build what changed again from its topics with --backfill; or start all of it again with --reset-state, which sends rows a second time';

/** Changes of a state file for another plan, all in one transaction. Operators' tables go by their names without `state_`. */
export interface ClaimTx extends StateTx {
  /** The plan that the state is of from now on: JSON. */
  plan(json: string): void;
  /** New names of sources in positions and watermarks; null forgets them. */
  renameSources(names: ReadonlyMap<string, string | null>): void;
  /** Named values of all operators. */
  values(): ReadonlyMap<string, ReadonlyMap<string, SqlValue>>;
  clearValues(): void;
  /** Columns of a table in their order; none: there is no such table. */
  columns(name: string): readonly string[];
  /** Gives a table with its packed pieces another name, so that the old one is free. */
  setAside(name: string): string;
  create(spec: TableSpec): void;
  /** Copies all rows; `columns` are the places of the new columns among those of `name`. */
  copyRows(name: string, to: TableSpec, columns: readonly number[]): void;
  movePieces(name: string, to: TableSpec): void;
  packed(name: string): Iterable<PackedChunk>;
  /** Drops a table with its packed pieces, also where there is none. */
  drop(name: string): void;
  /** All that was staged is to be sent. */
  takeStaged(): void;
  deadLetters(letters: readonly DeadLetter[]): void;
}

/** Rows of history that wait for their epochs. */
export interface Backlog {
  /** Up to and with this one. */
  readonly last: number;
  readonly blocks: readonly OutBlock[];
}

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
  /** The plan that the state is of (JSON), or null: it is fresh, or of layout 1 or 2. */
  plan(): string | null;
  /** Operators with what their groups mean, of layouts 1 and 2. */
  shapes(): ReadonlyMap<string, string>;
  /** Operators that began in the midst of their topic, and were not built again since. */
  partial(): ReadonlySet<string>;
  /** Whether a table, by its name without `state_`, holds groups. */
  holds(name: string): boolean;
  /** Whether some windows of a table are on disk only. */
  onDisk(name: string): boolean;
  /** ONE transaction that makes the state that of another plan. */
  claim(write: (tx: ClaimTx) => void): void;
  /** Output of a backfill, kept apart until a claim takes it; what no claim has taken is forgotten with the process. */
  stage(blocks: readonly OutBlock[]): void;
  /** Forgets what was staged and not taken. */
  unstage(): void;
  /** The next blocks that a claim has taken, of some `bytes` or a little more; null when there are none. */
  backlog(bytes: number): Backlog | null;
  /** Where records lie that are dead letters: `topic/partition/offset`. */
  deadRecords(): ReadonlySet<string>;
  saved(): Saved;
  /** The undelivered outbox (of epoch `delivery`), in insertion order; empty when delivered or none. */
  outbox(): readonly OutBlock[];
  /** ONE transaction, durable on return (synchronous=FULL): the commit point. Outbox rows of earlier epochs are deleted in it. */
  commit(e: EpochWrite, write: (tx: StateTx) => void): void;
  readonly letters: LetterBook;
  /** Forgets the outbox: its epoch is known to be delivered (clean stop). */
  clearOutbox(): void;
  /** Moves the WAL into the file; called between commits, never inside one. */
  checkpoint(): void;
  close(): void;
}
