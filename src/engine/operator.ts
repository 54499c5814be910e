import type { SavedState, StateTx } from '../state/store.ts';
import type { Code, Span } from '../errors.ts';
import type { Batch } from './batch.ts';

/** Receives rows, then the watermark (epoch ms) that holds after them. */
export interface Output {
  push(batch: Batch): void;
  watermark(ms: number): void;
  /** End of a bounded input: every window closes, final rows go on. */
  finish(): void;
}

/** What operators report; one accounting for summary, metrics and dead letters. */
export interface Counts {
  filtered(operator: string, n: number): void;
  /** Row `i` was late for every window of the operator. */
  late(operator: string, batch: Batch, i: number): void;
  /** Row `i` failed in the expression that stands at `at` in the user's file. */
  failed(operator: string, batch: Batch, i: number, code: Code, message: string, at: Span | null): void;
}

/** The part of all keys that one of several workers holds. */
export interface Share {
  /** Of the worker: 0 to count - 1. Its pieces in the state file are a lane of this number. */
  readonly index: number;
  readonly count: number;
}

/** How much state stays in memory where the rest may go to disk. */
export interface DiskBudget {
  /** Bytes of state in memory, of all operators. */
  readonly used: number;
  /** Below so many bytes nobody looks. */
  readonly watch: number;
  /** Past so many bytes panes leave memory with the next epoch. */
  readonly limit: number;
  /** Bytes that one group may take while its window closes. */
  readonly most: number;
  /** Bytes of pieces that are read back at once. */
  readonly step: number;
  /** An operator asks for an epoch, since it cannot grow on without passing the limit. */
  pressed: boolean;
  /** An operator has so many bytes on disk, and wrote `written` more of them, of `keys` groups that were in memory. */
  spilled(operator: string, keys: number, bytes: number, written: number): void;
}

export interface OperatorContext {
  readonly state: SavedState;
  /** null: all keys are here. */
  readonly share: Share | null;
  readonly counts: Counts;
  /** Groups from which on a pane is packed in the state file, see group-store.ts. */
  readonly packFrom: number;
  /** Where panes go that memory does not hold; null: they must fit. */
  readonly disk: DiskBudget | null;
  /** Bytes of state held in memory changed by `n`; throws system.resource.memory past `settings.memory` where it cannot go to disk. */
  memory(operator: string, keys: () => number, n: number): void;
  /** True when this epoch holds as much output as it may (32 MB): a close of many groups then pauses until the next epoch. */
  full(): boolean;
  /** A window that ended at `end` (epoch ms) is out. */
  closed(end: number): void;
}

/** Windows that an operator holds. */
export interface OpenWindows {
  readonly open: number;
  /** Those that close first; ends in epoch ms. */
  readonly first: readonly { readonly start: number; readonly end: number; readonly keys: number }[];
}

/**
 * All methods are synchronous and run between awaits of the runtime, so an operator is never re-entered and
 * "between two batches" is a barrier for a commit.
 */
export interface Operator extends Output {
  readonly id: string;
  /** Goes on with a close that paused because the epoch was full; true when nothing is left. No push comes before that. */
  resume(): boolean;
  /** Loads state. Called once, before the first push. */
  open(): void;
  /** Writes what changed since the last epoch. */
  snapshot(tx: StateTx): void;
  /** Groups that it holds. */
  keys(): number;
  /** End (ms) of the last open window, or null when none is open: the idle clock goes no further. */
  lastOpenEnd(): number | null;
  /** Its open windows, at most `most` of them by name; null where it has none by its nature. */
  windows(most: number): OpenWindows | null;
}
