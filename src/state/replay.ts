import type Sqlite from 'better-sqlite3';
import type { DeadLetterTable } from './dead-letters.ts';
import type { Replay, ReplayMark } from './store.ts';

/** Key of the row of `meta` that holds a replay whose delivery is not known yet, as JSON. */
const NOTE = 'replay';
/** Keys of the rows of `meta` that say which records of a dead-letter topic were replayed. */
const marksKey = (topicId: string, partition: number): string => `replayed ${topicId}/${partition}`;

type Range = [first: number, last: number];

/** What of a state file keeps the books of replays; all of it runs in transactions of the caller. */
export class ReplayBook {
  readonly #db: Sqlite.Database;
  readonly #letters: DeadLetterTable;

  constructor(db: Sqlite.Database, letters: DeadLetterTable) {
    this.#db = db;
    this.#letters = letters;
  }

  pending(): Replay | null {
    const text = this.#db.prepare('SELECT value FROM meta WHERE key = ?').pluck().get(NOTE) as string | undefined;
    return text === undefined ? null : JSON.parse(text) as Replay;
  }

  begin(r: Replay): void { this.#put(NOTE, JSON.stringify(r)); }

  /** `sent`: what was replayed is no dead letter any more, and its delivery was that of an epoch. */
  settle(r: Replay, sent: boolean): void {
    if (sent) {
      this.#letters.remove(r.letters);
      for (const m of r.marks) this.#mark(m);
      const count = this.#db.prepare('INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value');
      count.run('replayed', r.records);
      count.run('deliveries', 1);
      this.#put('epoch', BigInt(r.epoch));
      this.#put('delivery', BigInt(r.epoch));
    }
    this.#db.prepare('DELETE FROM meta WHERE key = ?').run(NOTE);
  }

  #mark({ topicId, partition, first, offsets }: ReplayMark): void {
    const key = marksKey(topicId, partition);
    const added = [...rangesAt(this.#db, key), ...offsets.map((o): Range => [o, o])];
    this.#put(key, JSON.stringify(joined(added).filter(([, last]) => last >= first)));
  }

  #put(key: string, value: string | bigint): void { this.#db.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(key, value); }
}

/** Which offsets of a partition of a dead-letter topic were replayed. */
export function replayedOffsets(db: Sqlite.Database, topicId: string, partition: number): (offset: number) => boolean {
  const ranges = rangesAt(db, marksKey(topicId, partition));
  return offset => {
    let lo = 0;
    let hi = ranges.length;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if ((ranges[mid] as Range)[1] < offset) lo = mid + 1;
      else hi = mid;
    }
    return lo < ranges.length && (ranges[lo] as Range)[0] <= offset;
  };
}

function rangesAt(db: Sqlite.Database, key: string): Range[] {
  const text = db.prepare('SELECT value FROM meta WHERE key = ?').pluck().get(key) as string | undefined;
  return text === undefined ? [] : JSON.parse(text) as Range[];
}

/** Sorted, neighbours as one. */
function joined(ranges: readonly Range[]): Range[] {
  const all: Range[] = [];
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const before = all.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else all.push([first, last]);
  }
  return all;
}
