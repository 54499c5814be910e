import { PackedRecords, type Packed, type RecordBatch } from '../records.ts';
import type { Slice } from '../source-reader.ts';
import { Arena } from './arena.ts';
import type { Answer } from './messages.ts';
import { copyRecords, openSlice, type RawSlice } from './raw.ts';

/** A packed slice whose bytes are elsewhere: those of a whole fetch would be kept for the last of its slices. */
function copied(slice: Slice): Slice {
  const { records } = slice;
  return { ...slice, records: new PackedRecords(records, { ...(records.packed as Packed), parts: [] }) };
}

/** Slices that one worker may have on their way at a time. */
const SLOTS = 10;
/** Those of them that it has not mapped: enough to be busy while the main thread commits. */
const AHEAD = 5;
/** The same of the worker on the main thread, which has other work: all wait for a slice that waits there. */
const OWN_AHEAD = 2;

/** A slice on its way through the workers. */
export interface Flying {
  readonly id: number;
  readonly slice: Slice;
  readonly worker: number;
  /** In memory from when it is mapped, at the latest. */
  raw: RawSlice;
  readonly slot: number;
  opened: RecordBatch | null;
  /** True: its rows are asked for one by one. */
  apart: boolean;
  mapped: Extract<Answer, { readonly k: 'mapped' }> | null;
  /** How many are not done with it. */
  waiting: number;
}

/** The slices on their way, in their order, and the memory that they lie in: a slot of a worker is used again when all are done with its slice. */
export class Flight {
  readonly #free: number[][];
  readonly #arenas: (Arena | undefined)[][];
  /** Slices that are not mapped yet, by worker. */
  readonly #ahead: number[];
  readonly #flying = new Map<number, Flying>();
  readonly #order: Flying[] = [];
  #next = 0;

  constructor(workers: number) {
    this.#free = Array.from({ length: workers }, () => Array.from({ length: SLOTS }, (_, k) => SLOTS - 1 - k));
    this.#arenas = Array.from({ length: workers }, () => []);
    this.#ahead = new Array<number>(workers).fill(0);
  }

  get empty(): boolean { return this.#flying.size === 0; }

  /** The worker that has least to do, or null when all have enough. */
  idlest(): number | null {
    let best: number | null = null;
    this.#ahead.forEach((n, w) => {
      if (n >= (w === 0 ? OWN_AHEAD : AHEAD) || (this.#free[w] as number[]).length === 0) return;
      if (best === null || n < (this.#ahead[best] as number)) best = w;
    });
    return best;
  }

  /** Copies a slice into the memory of a worker that has a free slot, unless the worker reads it itself. */
  start(slice: Slice, worker: number): Flying {
    const id = this.#next++;
    const slot = (this.#free[worker] as number[]).pop() as number;
    const arena = ((this.#arenas[worker] as (Arena | undefined)[])[slot] ??= new Arena());
    arena.reset();
    const raw = copyRecords(slice.records, slice.from, slice.to, arena, id, slice.fetchedAt);
    const f: Flying = { id, slice: raw.lies.form === null ? slice : copied(slice), worker, slot, raw, opened: null, apart: false, mapped: null, waiting: 0 };
    if (raw.length > 0) this.#toMap(f, 1);
    this.#flying.set(id, f);
    this.#order.push(f);
    return f;
  }

  of(id: number): Flying { return this.#flying.get(id) as Flying; }

  mapped(answer: Extract<Answer, { readonly k: 'mapped' }>): void {
    const f = this.of(answer.slice);
    f.mapped = answer;
    this.#toMap(f, -1);
    if (answer.raw !== null) f.raw = answer.raw;
  }

  /** It is to be mapped once more, row by row. */
  again(f: Flying): void {
    f.mapped = null;
    f.apart = true;
    this.#toMap(f, 1);
  }

  #toMap(f: Flying, n: number): void { this.#ahead[f.worker] = (this.#ahead[f.worker] as number) + n; }

  /** Its records, for reports: opened for the first of them. */
  records(id: number): RecordBatch {
    const f = this.of(id);
    const { packed } = f.slice.records;
    return f.opened ??= openSlice(f.raw, new Map(packed === undefined ? [] : [[packed.form, packed]]));
  }

  /** The slice that is to be passed next, once it is mapped; null when it is not. */
  head(): Flying | null {
    const [first] = this.#order;
    return first === undefined || (first.mapped === null && first.raw.length > 0) ? null : first;
  }

  shift(): void { this.#order.shift(); }

  /** True while slices wait to be passed. */
  get queued(): boolean { return this.#order.length > 0; }

  /** One of those that a slice waited for is done with it. */
  done(f: Flying): void {
    if (--f.waiting > 0) return;
    this.#flying.delete(f.id);
    (this.#free[f.worker] as number[]).push(f.slot);
  }
}
