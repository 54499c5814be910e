import type Sqlite from 'better-sqlite3';
import { Database } from './database.ts';
import { LETTER_BYTES_SQL } from './dead-letters.ts';
import { inspectState, unreadable } from './file.ts';
import { isOwn } from './lock.ts';
import { replayedOffsets } from './replay.ts';

/** A row of `dead_letters`. */
export interface KeptLetter {
  readonly id: number;
  /** When it was kept, epoch ms. */
  readonly at: number;
  readonly code: string;
  /** Null where the table was full: position and code are all that was kept. */
  readonly message: string | null;
  readonly place: string | null;
  readonly source: string;
  readonly operator: string | null;
  readonly topic: string;
  /** -1 for a row that was made of many records; `offset` too. */
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number | null;
  readonly key: Buffer | null;
  /** Cut at 1 MB; `size` is the full length. */
  readonly value: Buffer | null;
  readonly size: number;
}

/** Letters of one code. */
export interface LetterCode {
  readonly code: string;
  readonly n: number;
  /** When the first and the last one was kept, epoch ms. */
  readonly first: number;
  readonly last: number;
  /** Of the last one. */
  readonly message: string | null;
}

/** The dead letters of a state file as its last epoch left them, also while a pipeline writes it. */
export class DeadLetterFile {
  readonly #path: string;
  readonly #db: Sqlite.Database;

  private constructor(path: string) {
    this.#path = path;
    this.#db = this.#try(() => new Database(path, { readonly: true, fileMustExist: true }));
    try {
      this.#try(() => { this.#db.exec('BEGIN'); this.#db.prepare('SELECT count(*) FROM meta').get(); });
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Null when there is no such file. Throws system.state.corrupt, foreign, newer or rolled_back, system.source.unreachable. */
  static find(path: string): DeadLetterFile | null { return isOwn(path) || inspectState(path) ? new DeadLetterFile(path) : null; }

  /** In the order of their records, so that letters of one record are neighbours. */
  *letters(): Iterable<KeptLetter> {
    try {
      yield* this.#db.prepare('SELECT * FROM dead_letters ORDER BY topic, partition, "offset", id').iterate() as IterableIterator<KeptLetter>;
    } catch (error) {
      throw unreadable(this.#path, error);
    }
  }

  codes(): readonly LetterCode[] {
    return this.#try(() => {
      const message = this.#db.prepare('SELECT message FROM dead_letters WHERE id = ?').pluck();
      const groups = this.#db.prepare('SELECT code, count(*) AS n, min(at) AS first, max(at) AS last, max(id) AS id FROM dead_letters GROUP BY code').all() as (Omit<LetterCode, 'message'> & { readonly id: number })[];
      return groups.map(({ id, ...g }) => ({ ...g, message: message.get(id) as string | null }));
    });
  }

  /** Newest first. `before`: a number that they are below. */
  page({ code, before, limit }: { readonly code: string | null; readonly before: number | null; readonly limit: number }): readonly KeptLetter[] {
    return this.#try(() => this.#db.prepare('SELECT * FROM dead_letters WHERE (:code IS NULL OR code = :code) AND id < :before ORDER BY id DESC LIMIT :limit').all({ code, before: before ?? Number.MAX_SAFE_INTEGER, limit }) as KeptLetter[]);
  }

  /** Records that were sent again, since the state began. */
  replays(): number { return this.#try(() => (this.#db.prepare("SELECT value FROM counters WHERE name = 'replayed'").pluck().get() ?? 0) as number); }

  /** Bytes that count against the table's limit. */
  bytes(): number { return this.#try(() => this.#db.prepare(LETTER_BYTES_SQL).pluck().get() as number); }

  /** Which offsets of a partition of a dead-letter topic were replayed. */
  replayed(topicId: string, partition: number): (offset: number) => boolean { return this.#try(() => replayedOffsets(this.#db, topicId, partition)); }

  close(): void { this.#db.close(); }

  #try<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw unreadable(this.#path, error);
    }
  }
}
