import type Sqlite from 'better-sqlite3';
import { Database } from './database.ts';
import { layOut } from './open.ts';
import { storeIn } from './sqlite.ts';
import type { StateStore } from './store.ts';

/** State of a pipeline in memory, which each run opens anew, as a process opens its file. */
export class MemoryState {
  readonly #db: Sqlite.Database;

  constructor(pipeline: string, logId: string) {
    this.#db = new Database(':memory:');
    layOut(this.#db, { pipeline, logId });
  }

  open(): StateStore { return storeIn(this.#db); }

  close(): void { this.#db.close(); }
}
