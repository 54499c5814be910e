import type { FetchedPartition } from './protocol-fetch.ts';
import { PartitionDecoder } from './record-batch-decode.ts';

/** An answer that is older than this many ms says nothing about now: the fetch hangs, or nobody polls. Answers come every 0.5 s at least. */
const BREAK_MS = 2000;
const STUCK_MS = 60_000;

/** One partition of a source. */
export class PartitionState {
  readonly partition: number;
  readonly decoder: PartitionDecoder;
  readonly endAtOpen: number;
  /** Next offset that a poll gives, and that is fetched when nothing waits in `fetched`. */
  position: number;
  end: number;
  /** Broker, or -1 when it must be looked up. */
  leader = -1;
  /** A request for it is on its way. */
  flying = false;
  /** An answer that no poll took yet. */
  fetched: FetchedPartition | null = null;
  /** When an answer first said that the position is beyond the end (performance.now, ms), or null. */
  beyondSince: number | null = null;
  #idleSince: number | null = null;
  #answeredAt = -Infinity;
  #stuckAt = -1;
  #stuckSince = 0;

  constructor(topic: string, partition: number, position: number, end: number) {
    this.partition = partition;
    this.decoder = new PartitionDecoder(topic, partition);
    this.position = position;
    this.endAtOpen = end;
    this.end = end;
  }

  /** An answer without error; `now` is wall time (ms). */
  answered(f: FetchedPartition, now: number): void {
    this.beyondSince = null;
    this.end = f.lastStable;
    if (f.records !== null) this.fetched = f;
    if (f.records !== null || this.position !== f.lastStable || f.lastStable !== f.highWatermark) this.#idleSince = null;
    else if (this.#idleSince === null || now - this.#answeredAt > BREAK_MS) this.#idleSince = now;
    this.#answeredAt = now;
    this.#watchTransaction(f, now);
  }

  /** Left out, or not answered: idleness begins anew. */
  disturbed(): void { this.#idleSince = null; }

  idleSince(now: number): number | null { return now - this.#answeredAt > BREAK_MS ? null : this.#idleSince; }

  /** Seconds for which an open transaction has held everything back, when it is time to say so (once a minute); else null. */
  takeStuck(now: number): number | null {
    if (this.#stuckAt < 0 || now - this.#saidAt < STUCK_MS) return null;
    this.#saidAt = now;
    return Math.round((now - this.#stuckSince) / 1000);
  }
  #saidAt = 0;

  #watchTransaction(f: FetchedPartition, now: number): void {
    const stuck = f.records === null && this.position === f.lastStable && f.lastStable < f.highWatermark;
    if (!stuck) this.#stuckAt = -1;
    else if (this.#stuckAt !== f.lastStable) {
      this.#stuckAt = f.lastStable;
      this.#stuckSince = this.#saidAt = now;
    }
  }
}
