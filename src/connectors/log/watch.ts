import { watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { LogDb } from './database.ts';

/** Where the file system tells of nothing, a commit of another process is seen after this many ms: each look wakes the process. */
const LOOK_MS = 50;
/** ms between the looks after the file system has told of a write: it can be seen as soon as the disk has it. */
const SOON_MS = [1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 8, 16];

/** Wakes those who wait for new records: at once for our own, by the file system or a timer for those of other processes. */
export class ChangeWatch {
  readonly #db: LogDb;
  /** Who waits, and the data version that each has read. */
  readonly #waiting = new Map<() => void, number>();
  #timer: NodeJS.Timeout | null = null;
  #watcher: FSWatcher | null = null;
  #looking = false;

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

  /** A file is written before its commit can be seen: some looks in quick succession find it. */
  #soon(): void {
    if (this.#looking || this.#waiting.size === 0) return;
    const look = (n: number): void => {
      this.#look();
      this.#looking = this.#waiting.size > 0 && n < SOON_MS.length;
      if (this.#looking) setTimeout(look, SOON_MS[n], n + 1);
    };
    look(0);
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
      const wal = `${basename(this.#db.path)}-wal`;
      // the folder, since a watch of the file itself misses most writes
      const watcher = watch(dirname(this.#db.path), { persistent: false }, (_, name) => { if (name === wal) this.#soon(); });
      watcher.on('error', () => watcher.close());
      this.#watcher = watcher;
    } catch {
      // no watches left
    }
  }
}
