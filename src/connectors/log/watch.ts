import { watch, type FSWatcher } from 'node:fs';
import type { LogDb } from './database.ts';

/** A commit of another process is seen after this many ms at most; a look costs some us. */
const LOOK_MS = 25;

/** Wakes those who wait for new records: at once for our own, by the file system or a timer for those of other processes. */
export class ChangeWatch {
  readonly #db: LogDb;
  /** Who waits, and the data version that each has read. */
  readonly #waiting = new Map<() => void, number>();
  #timer: NodeJS.Timeout | null = null;
  #watcher: FSWatcher | null = null;

  constructor(db: LogDb) { this.#db = db; }

  /** Tell it that this process has written. */
  notify(): void { for (const wake of [...this.#waiting.keys()]) wake(); }

  /** Resolves after a commit by anybody, `ms`, or the signal; at once when another process has committed since `seen`. */
  wait(seen: number, ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#db.dataVersion() !== seen) return Promise.resolve();
    return new Promise(done => {
      const wake = (): void => {
        clearTimeout(timeout);
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        if (this.#waiting.size === 0) this.#stopTimer();
        done();
      };
      const timeout = setTimeout(wake, ms);
      signal.addEventListener('abort', wake);
      this.#waiting.set(wake, seen);
      this.#watch();
      this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
    });
  }

  close(): void {
    this.notify();
    this.#watcher?.close();
    this.#watcher = null;
  }

  #look(): void {
    if (this.#waiting.size === 0) return;
    const version = this.#db.dataVersion();
    for (const [wake, seen] of [...this.#waiting]) if (seen !== version) wake();
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Some file systems tell of changes sooner than the timer; the timer alone is enough. */
  #watch(): void {
    if (this.#watcher !== null) return;
    try {
      const watcher = watch(`${this.#db.path}-wal`, { persistent: false }, () => this.#look());
      watcher.on('error', () => watcher.close());
      this.#watcher = watcher;
    } catch {
      // no write-ahead log yet, or no watches left
    }
  }
}
