import { PipeError } from '../errors.ts';
import type { SavedState } from '../state/store.ts';
import { EPOCH_BYTES } from './loop.ts';
import type { Meters } from './meters.ts';
import type { Counts, DiskBudget, OperatorContext, Share } from './operator.ts';

/** Bytes of pieces that are read back at once, at most. */
const STEP_BYTES = 4 << 20;
const LEAST_STEP_BYTES = 16 << 10;
/** What a single group may take in any case. */
const LEAST_MOST = 1 << 20;

/** `limit` in bytes. */
export const memoryError = (limit: number, operator: string, keys: number): PipeError =>
  new PipeError('system.resource.memory', `state in memory has passed settings.memory (${size(limit)}): operator "${operator}" holds ${keys} ${keys === 1 ? 'key' : 'keys'}`, {
    hint: `${keys === 1 ? ONE_GROUP : `raise settings.memory, group by fewer keys or use shorter windows`}; nothing that was committed is lost`, retriable: true,
  });

/** No other thread and no disk takes a part of a group. */
const ONE_GROUP = 'raise settings.memory, or make that one group smaller: what it keeps of each row (DISTINCT, LISTAGG, a long key) must fit; group by a further column, use a shorter window, or leave values out with FILTER or WHERE';

/** What the operators of one pipeline share; adds up the state that they hold in memory. */
export class RunContext implements OperatorContext {
  readonly state: SavedState;
  readonly share: Share | null;
  readonly counts: Counts;
  readonly packFrom: number;
  readonly disk: Disk | null;
  readonly #limit: number;
  readonly #outputBytes: () => number;
  readonly #epochBytes: number;
  readonly #meters: Meters | null;
  readonly #by = new Map<string, number>();
  /** Bytes of state in memory, by the operators' own estimate. */
  used = 0;
  /** Bytes that state has grown by since the last commit. */
  grown = 0;

  /** `limit` in bytes; `began` is told once in a run when panes begin to leave memory. null: none may, and the limit is an error: those of a worker, whose share of the keys changes, and those of a backfill. */
  constructor(state: SavedState, counts: Counts, limit: number, packFrom: number, outputBytes: () => number, share: Share | null = null, epochBytes: number = EPOCH_BYTES, began: Disk['began'] | null = null, meters: Meters | null = null) {
    this.share = share;
    this.packFrom = packFrom;
    this.state = state;
    this.counts = counts;
    this.disk = began === null ? null : new Disk(limit, () => this.used, began);
    this.#limit = limit;
    this.#outputBytes = outputBytes;
    this.#epochBytes = epochBytes;
    this.#meters = meters;
  }

  memory(operator: string, keys: () => number, n: number): void {
    this.used += n;
    this.#by.set(operator, (this.#by.get(operator) ?? 0) + n);
    if (n > 0) this.grown += n;
    if (n <= 0 || this.used <= this.#limit || this.disk !== null) return;
    throw memoryError(this.#limit, operator, keys());
  }

  full(): boolean { return this.disk?.pressed === true || this.#outputBytes() >= this.#epochBytes; }

  /** Bytes of state that the next epoch writes; infinitely many where panes must leave memory now. */
  waiting(): number { return this.disk?.pressed === true ? Infinity : this.grown; }

  closed(end: number): void { this.#meters?.windowClosed(end); }

  /** Bytes of state that one operator holds in memory. */
  memoryOf(operator: string): number { return this.#by.get(operator) ?? 0; }

  committed(): void {
    this.grown = 0;
    if (this.disk !== null) this.disk.pressed = false;
  }
}

/**
 * `settings.memory` covers what is in memory at once: state, the output of two epochs, records being read, what the runtime itself takes.
 * A sixth of it is for state (tables that grow are there twice for a moment, and memory that was given back has gaps), and all that lies
 * beyond a fixed need where it is large.
 */
class Disk implements DiskBudget {
  readonly most: number;
  readonly limit: number;
  readonly watch: number;
  readonly step: number;
  readonly began: (operator: string, keys: number, bytes: number) => void;
  pressed = false;
  /** Bytes on disk by operator. */
  readonly #bytes = new Map<string, number>();
  /** Bytes written since the pipeline began. */
  written = 0;
  readonly #used: () => number;

  constructor(most: number, used: () => number, began: Disk['began']) {
    this.most = Math.max(most, LEAST_MOST);
    this.limit = Math.max(most / 6, Math.min(most / 4, LEAST_STATE_BYTES), most - OTHER_BYTES);
    this.watch = this.limit / 2;
    this.step = Math.max(LEAST_STEP_BYTES, Math.min(STEP_BYTES, this.limit / 8));
    this.began = began;
    this.#used = used;
  }

  get used(): number { return this.#used(); }
  bytesOf(operator: string): number { return this.#bytes.get(operator) ?? 0; }
  get bytes(): number { return [...this.#bytes.values()].reduce((n, x) => n + x, 0); }

  spilled(operator: string, keys: number, bytes: number, written: number): void {
    if (this.written === 0 && written > 0) this.began(operator, keys, written);
    this.written += written;
    this.#bytes.set(operator, bytes);
  }
}

/** Of little memory a quarter, up to so much: more runs that are smaller take more than they save. */
const LEAST_STATE_BYTES = 16 << 20;
/** What a pipeline needs beside its state. */
const OTHER_BYTES = 512 << 20;

/** In the units of the setting. */
const size = (bytes: number): string => (bytes < 2 ** 20 ? `${Math.ceil(bytes / 2 ** 10)} KB` : `${Math.round(bytes / 2 ** 20)} MB`);
