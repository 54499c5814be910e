import { setImmediate } from 'node:timers/promises';
import type { Clock } from './clock.ts';
import type { Operator, Output } from './operator.ts';
import { Pause } from './pause.ts';
import type { RecordBatch } from './records.ts';
import type { SourceReader } from './source-reader.ts';

/** An epoch ends after this many records, or this many bytes of output, dead letters and new state. */
export const EPOCH_RECORDS = 250_000;
export const EPOCH_BYTES = 32 << 20;
/** A poll without records returns after this many ms, so that idleness is seen and event time goes on. */
export const POLL_MS = 500;
/** How long to wait for records at least while a commit waits for a delivery. */
const BUSY_MS = 5;

export interface LoopParts {
  readonly readers: readonly SourceReader[];
  readonly inputs: ReadonlyMap<string, Output>;
  /** In topological order. */
  readonly operators: readonly Operator[];
  readonly following: boolean;
  readonly clock: Clock;
  /** ms between epochs. */
  readonly checkpoint: number;
  /** Bytes that make an epoch full; EPOCH_BYTES when absent. */
  readonly epochBytes?: number;
  readonly epoch: {
    /** Bytes that wait for the commit. */
    bytes(): number;
    /** True when there is output to commit. */
    hasOutput(): boolean;
    /** True while the epoch before is on its way: then this one may grow until it is full. */
    delivering(): boolean;
    /** Makes everything so far durable and begins its delivery; waits for the delivery of the epoch before. */
    commit(): Promise<void>;
  };
}

interface Polled {
  readonly reader: SourceReader;
  readonly batches: readonly RecordBatch[];
}

/**
 * The loop of one pipeline: poll, decode, push, watermark, commit when due. Operators run between two awaits, so that a commit
 * always stands between two batches.
 */
export class RunLoop {
  readonly #p: LoopParts;
  readonly #pending = new Map<SourceReader, Promise<Polled>>();
  #committedAt: number;
  #records = 0;
  #moved = false;
  readonly #pause = new Pause();

  constructor(parts: LoopParts) {
    this.#p = parts;
    this.#committedAt = parts.clock.elapsed();
  }

  /** Until every source is at its end (until-end), or the signal: then the current batch is finished and committed. Whether it came to the end. */
  async run(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted && !this.#atEnd()) {
      if (this.#pause.on) await this.#rest(signal);
      const polled = await this.#poll(signal);
      if (polled !== null) await this.#process(polled, signal);
      for (const r of this.#p.readers) r.tick();
      await this.#settle(signal);
      if (this.#due()) await this.#commit();
      // a source that answers without waiting must not keep signals and timers from running
      await setImmediate();
    }
    const ended = !signal.aborted && await this.#finish(signal);
    if (this.#changed()) await this.#commit();
    return ended;
  }

  /** Notes that positions are to be saved though no record was read: a start at the newest record. */
  touch(): void { this.#moved = true; }

  pause(): void { this.#pause.begin(); }
  resume(): void { this.#pause.end(); }

  #atEnd(): boolean { return !this.#p.following && this.#p.readers.every(r => r.finished); }
  #changed(): boolean { return this.#moved || this.#p.epoch.hasOutput(); }

  /** What was read is committed; event time stands still, and quiet is no idleness. */
  async #rest(signal: AbortSignal): Promise<void> {
    if (this.#changed()) await this.#commit();
    await this.#pause.over(signal);
    for (const r of this.#p.readers) r.rested();
  }

  async #poll(signal: AbortSignal): Promise<Polled | null> {
    const open = this.#p.readers.filter(r => !r.finished);
    const wait = this.#wait();
    for (const reader of open) {
      if (this.#pending.has(reader)) continue;
      const polling = reader.source.poll(reader.paused(), wait, signal).then(batches => ({ reader, batches }));
      // the loop may end on another source's failure before it looks at this one
      polling.catch(() => undefined);
      this.#pending.set(reader, polling);
    }
    try {
      const polled = await Promise.race(this.#pending.values());
      this.#pending.delete(polled.reader);
      return polled;
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    }
  }

  async #process({ reader, batches }: Polled, signal: AbortSignal): Promise<void> {
    reader.take(batches, this.#p.clock.now());
    for (let n = reader.step(); n !== null; n = reader.step()) {
      // in here: a commit between two slices has saved the positions of the first only
      this.#moved = true;
      this.#records += n;
      await this.#settle(signal);
      if (this.#due()) await this.#commit();
      if (signal.aborted) return;
    }
  }

  #wait(): number {
    if (!this.#changed()) return POLL_MS;
    const { epoch, clock, checkpoint } = this.#p;
    return Math.max(epoch.delivering() ? BUSY_MS : 0, Math.min(POLL_MS, this.#committedAt + checkpoint - clock.elapsed()));
  }

  /** Closes that paused because the epoch was full go on in the next one; at the signal, in the next run. */
  async #settle(signal: AbortSignal): Promise<void> {
    while (!this.#p.operators.every(o => o.resume()) && !signal.aborted) {
      await this.#commit();
      await setImmediate();
    }
  }

  /** Whether all is closed: the signal cuts it. */
  async #finish(signal: AbortSignal): Promise<boolean> {
    if (this.#p.operators.some(o => o.lastOpenEnd() !== null)) this.#moved = true;
    for (const input of this.#p.inputs.values()) {
      input.finish();
      await this.#settle(signal);
      if (signal.aborted) return false;
    }
    return true;
  }

  #due(): boolean {
    if (!this.#changed()) return false;
    const { epoch, clock, checkpoint, epochBytes = EPOCH_BYTES } = this.#p;
    if (this.#records >= EPOCH_RECORDS || epoch.bytes() >= epochBytes) return true;
    return !epoch.delivering() && clock.elapsed() - this.#committedAt >= checkpoint;
  }

  async #commit(): Promise<void> {
    const { epoch, clock } = this.#p;
    // from begin to begin: what a commit takes does not make the interval longer, unless it had to wait for a delivery
    const began = epoch.delivering() ? null : clock.elapsed();
    await epoch.commit();
    this.#records = 0;
    this.#moved = false;
    this.#committedAt = began ?? clock.elapsed();
  }
}
