import type { Notices } from '../connector.ts';
import { ConnectionLost } from './kafka-error.ts';

const AGAIN_MS = 60_000;
/** Leaders and coordinators move in a moment: nothing to speak of. */
const PATIENCE_MS = 5000;

/** What a user reads while brokers are away, whoever noticed: one line at once, then one a minute, and one when all is well. */
export class Outage {
  readonly #label: string;
  readonly #notices: Notices;
  readonly #failing = new Map<object, number>();
  #said: number | null = null;
  #since = 0;

  constructor(label: string, notices: Notices) {
    this.#label = label;
    this.#notices = notices;
  }

  /** An outage that has been said. */
  get known(): boolean { return this.#said !== null; }

  failed(who: object, error: unknown): void {
    const now = performance.now();
    if (this.#failing.size === 0) this.#since = now;
    const since = this.#failing.get(who) ?? now;
    this.#failing.set(who, since);
    if (this.#said !== null ? now - this.#said < AGAIN_MS : !(error instanceof ConnectionLost) && now - since < PATIENCE_MS) return;
    const minutes = Math.round((now - this.#since) / AGAIN_MS);
    this.#said = now;
    this.#notices.warn(`${this.#label} does not answer${minutes > 0 ? ` for ${minutes} min` : ''}: ${(error as Error).message}; trying again until it does`);
  }

  /** This party has given up: nothing more is said of it. */
  end(who: object): void {
    this.#failing.delete(who);
    if (this.#failing.size === 0) this.#said = null;
  }

  ok(who: object): void {
    if (!this.#failing.delete(who) || this.#failing.size > 0 || this.#said === null) return;
    this.#said = null;
    this.#notices.info(`${this.#label} answers again after ${Math.max(1, Math.round((performance.now() - this.#since) / 1000))} s`);
  }
}
