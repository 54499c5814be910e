import { join } from 'node:path';
import { compilePipeline, type CompiledPipeline } from '../../src/config/compile.ts';
import { loadPipeline } from '../../src/config/load.ts';
import { systemClock, type Clock } from '../../src/engine/clock.ts';
import { engineParts } from '../../src/engine/parts.ts';
import { PipelineRuntime, writtenTopics } from '../../src/engine/runtime.ts';
import { formats } from '../../src/formats/index.ts';
import type { DeadLetter, StateStore } from '../../src/state/store.ts';
import { MemoryLog } from '../engine/stand-ins.ts';
import { memoryState } from '../state/memory.ts';
import { GENERATED } from '../no-codegen.ts';

export interface MemoryRecord {
  readonly partition: number;
  readonly value: string;
  /** The record's own time, epoch ms. */
  readonly timestamp: number;
}

export interface MemoryOptions {
  readonly batch?: number;
  /** Records of a partition that a poll gives at most. */
  readonly most?: number;
  readonly jit?: boolean;
  readonly following?: boolean;
  readonly clock?: Clock;
  /** After each commit. */
  readonly committed?: () => void;
}

export interface MemoryResult {
  /** Values of every topic that is written, sorted. */
  readonly rows: Readonly<Record<string, readonly string[]>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly letters: readonly DeadLetter[];
  readonly warnings: readonly string[];
}

/** A pipeline from its text. */
export function compiled(text: string): CompiledPipeline {
  const dir = import.meta.dirname;
  return compilePipeline(loadPipeline(join(dir, 'p.yaml'), { env: {}, root: dir, text }));
}

/** State that is gone with its process, but for dead letters. */
export function keepingLetters(letters: DeadLetter[]): StateStore {
  return { ...memoryState(), commit: e => { letters.push(...e.deadLetters); } };
}

/** One pipeline on a log in memory, without any I/O: thousands of runs take seconds. */
export class MemoryRun {
  readonly log = new MemoryLog();
  readonly letters: DeadLetter[] = [];
  readonly warnings: string[] = [];
  readonly runtime: PipelineRuntime;
  readonly #c: CompiledPipeline;

  constructor(c: CompiledPipeline, partitions: number, o: MemoryOptions = {}) {
    this.#c = c;
    const { log } = this;
    for (const topic of [...c.spec.sources.map(s => s.topic), ...writtenTopics(c.spec, null)]) log.topicsByName.set(topic, Array.from({ length: partitions }, () => []));
    const clock = o.clock ?? systemClock;
    this.runtime = new PipelineRuntime({
      spec: c.spec, plan: c.plan, log, store: keepingLetters(this.letters), formats, engine: engineParts, clock, workers: null,
      source: so => {
        log.source(so);
        const source = log.sources.at(-1) as (typeof log.sources)[number];
        source.most = o.most ?? Infinity;
        source.now = () => clock.now();
        return source;
      },
      notices: { warn: m => { this.warnings.push(m); }, info: () => undefined }, taps: new Map(), committed: () => { o.committed?.(); return Promise.resolve(); },
      options: {
        following: o.following ?? false, from: null, batchRows: o.batch ?? 8192, jit: o.jit ?? GENERATED, decoder: 'fast', onError: null, resume: null, backfill: false, memory: 1e9, packFrom: 1e6, drain: 20_000, takeOver: false, ownerId: 'me',
      },
    });
  }

  send(topic: string, records: readonly MemoryRecord[]): void { for (const r of records) this.log.send(topic, r.partition, r.value, r.timestamp); }

  /** To the end of what was sent. */
  async toEnd(): Promise<MemoryResult> {
    try {
      await this.runtime.open();
      await this.runtime.run(new AbortController().signal);
    } finally {
      await this.runtime.close();
    }
    return this.result();
  }

  result(): MemoryResult {
    const { spec } = this.#c;
    return { rows: Object.fromEntries([...writtenTopics(spec, null)].map(t => [t, this.log.values(t)])), counts: { ...this.runtime.progress().counts }, letters: this.letters, warnings: this.warnings };
  }
}
