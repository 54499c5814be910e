import { setImmediate } from 'node:timers/promises';
import { POLL_MS } from '../../engine/loop.ts';

/** Who polls and has nothing to read waits here until time passes, which only the owner of the log makes it do. */
export class Waiting {
  readonly #waiting = new Set<() => void>();

  get count(): number { return this.#waiting.size; }

  /** Shorter waits than POLL_MS are for a commit that is due: they end with the turn. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (ms < POLL_MS) return setImmediate();
    await new Promise<void>(done => {
      const end = (): void => {
        this.#waiting.delete(end);
        signal.removeEventListener('abort', end);
        done();
      };
      this.#waiting.add(end);
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
    });
  }

  /** All polls that wait come back. */
  release(): void { for (const end of [...this.#waiting]) end(); }
}
