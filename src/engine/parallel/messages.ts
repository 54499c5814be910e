import type { MessagePort } from 'node:worker_threads';
import type { Code } from '../../errors.ts';
import type { SliceTime } from '../watermark.ts';
import type { GroupPart } from './combine.ts';
import type { Part } from './part.ts';
import type { Taken } from '../source-reader.ts';
import type { RawSlice } from './raw.ts';
import type { Reports } from './reports.ts';
import type { SavedGroups, StateWrite } from './shadow-state.ts';

/** What a worker is told once; the first is on the main thread. */
export interface Opening {
  readonly index: number;
  readonly count: number;
  readonly jit: boolean;
  /** Generated code for reading records. */
  readonly generated: boolean;
  readonly following: boolean;
  /** No record was looked at yet. */
  readonly fresh: boolean;
  /** Partitions of every topic that the pipeline writes. */
  readonly partitions: ReadonlyMap<string, number>;
  readonly saved: SavedGroups | null;
  /** Sinks whose rows are wanted beside their bytes: `--print`. */
  readonly tapped: readonly string[];
  /** To the other workers, by index; null at the own place. */
  readonly peers: readonly (MessagePort | null)[];
}

/** From the main thread. Everything but `map` is done in the order in which it comes: the same for all workers. */
export type Command =
  | { readonly k: 'open'; readonly opening: Opening }
  /** `slot`: whose memory the parts may use; `apart`: its rows are to cross over one by one, and what came of it before is void. */
  | { readonly k: 'map'; readonly slice: RawSlice; readonly slot: number; readonly apart: boolean }
  | { readonly k: 'fold'; readonly folds: readonly Fold[] }
  | { readonly k: 'watermark'; readonly ms: number }
  | { readonly k: 'snapshot' }
  | { readonly k: 'finish' };

/** What a worker is told once it is open. */
export type Order = Exclude<Command, { readonly k: 'open' }>;

/** One slice, passed. */
export interface Fold {
  readonly slice: number;
  /** How many rows or groups of it are for this worker. */
  readonly rows: number;
  /** Those that came of the `map` that said so: of another there may be some that are void. */
  readonly apart: boolean;
  readonly time: SliceTime;
  /** The one after it, where it moved. */
  readonly watermark: number | null;
}

/** How much a worker holds. */
export interface Status {
  readonly keys: number;
  /** Bytes of state in memory, by the operators' own estimate. */
  readonly used: number;
  /** Bytes that wait for the commit: output, and state that has grown. */
  readonly output: number;
  readonly grown: number;
  readonly lastOpenEnd: number | null;
  /** True when a close waits for the next epoch. */
  readonly full: boolean;
}

export interface Block {
  readonly topic: string;
  readonly partition: number;
  readonly rows: number;
  readonly data: Uint8Array;
}

/** Rows of a sink as plain values. */
export interface TappedRows {
  readonly sink: string;
  readonly length: number;
  readonly cols: readonly unknown[];
  readonly nulls: readonly (Uint8Array | null)[];
}

/** To the main thread. */
export type Answer =
  /** It has its plan. */
  | { readonly k: 'begun' }
  /** It has its state. */
  | { readonly k: 'ready' }
  /** `raw`: where the records are now, if that was elsewhere; `max`: highest event time, -Infinity without any; `rows`: rows or groups by the worker that they are for; `ends`: of the windows of groups; `blocks`: output of a plan without state. */
  | { readonly k: 'mapped'; readonly slice: number; readonly raw: RawSlice | null; readonly taken: Taken; readonly max: number; readonly rows: readonly number[]; readonly ends: readonly number[]; readonly reports: Reports; readonly blocks: readonly Block[]; readonly taps: readonly TappedRows[]; readonly warning: string | null }
  /** Of so many commands; `slices`: those that it has folded. */
  | { readonly k: 'done'; readonly commands: number; readonly slices: readonly number[]; readonly reports: Reports; readonly status: Status }
  | { readonly k: 'snapshot'; readonly writes: readonly StateWrite[]; readonly blocks: readonly Block[]; readonly taps: readonly TappedRows[]; readonly reports: Reports; readonly status: Status }
  | { readonly k: 'failed'; readonly code: Code | null; readonly message: string; readonly hint: string | undefined; readonly retriable: boolean; readonly stack: string | undefined };

/** From worker to worker. */
export interface Delivered {
  readonly slice: number;
  readonly topic: string;
  readonly partition: number;
  readonly parts: readonly Part[];
  readonly groups: readonly GroupPart[];
  /** As its `map` said. */
  readonly apart: boolean;
}
