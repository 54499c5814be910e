import { PipeError } from '../errors.ts';
import type { SavedState } from '../state/store.ts';
import { EPOCH_BYTES } from './loop.ts';
import type { Counts, OperatorContext, Share } from './operator.ts';

/** `limit` in bytes. */
export const memoryError = (limit: number, operator: string, keys: number): PipeError =>
  new PipeError('system.resource.memory', `state in memory has passed settings.memory (${size(limit)}): operator "${operator}" holds ${keys} ${keys === 1 ? 'key' : 'keys'}`, {
    hint: 'raise settings.memory, group by fewer keys or use shorter windows; nothing that was committed is lost', retriable: true,
  });

/** What the operators of one pipeline share; adds up the state that they hold in memory. */
export class RunContext implements OperatorContext {
  readonly state: SavedState;
  readonly share: Share | null;
  readonly counts: Counts;
  readonly packFrom: number;
  readonly #limit: number;
  readonly #outputBytes: () => number;
  readonly #epochBytes: number;
  /** Bytes of state in memory, by the operators' own estimate. */
  used = 0;
  /** Bytes that state has grown by since the last commit. */
  grown = 0;

  /** `limit` in bytes. */
  constructor(state: SavedState, counts: Counts, limit: number, packFrom: number, outputBytes: () => number, share: Share | null = null, epochBytes: number = EPOCH_BYTES) {
    this.share = share;
    this.packFrom = packFrom;
    this.state = state;
    this.counts = counts;
    this.#limit = limit;
    this.#outputBytes = outputBytes;
    this.#epochBytes = epochBytes;
  }

  memory(operator: string, keys: number, n: number): void {
    this.used += n;
    if (n > 0) this.grown += n;
    if (n <= 0 || this.used <= this.#limit) return;
    throw memoryError(this.#limit, operator, keys);
  }

  full(): boolean { return this.#outputBytes() >= this.#epochBytes; }

  committed(): void { this.grown = 0; }
}

/** In the units of the setting. */
const size = (bytes: number): string => (bytes < 2 ** 20 ? `${Math.ceil(bytes / 2 ** 10)} KB` : `${Math.round(bytes / 2 ** 20)} MB`);
