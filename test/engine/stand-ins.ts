import type { CompiledPipeline } from '../../src/config/compile.ts';
import type { PipelineSpec } from '../../src/config/spec.ts';
import type { CreateTopic, Delivery, Log, NewRecord, OutEpoch, Source, SourceOptions, TopicInfo } from '../../src/connectors/connector.ts';
import { openBlock } from '../../src/engine/block.ts';
import { BlockBuilder } from '../../src/engine/block-builder.ts';
import type { Output } from '../../src/engine/operator.ts';
import type { Accounting, EngineParts } from '../../src/engine/ports.ts';
import type { RunCounts } from '../../src/engine/progress.ts';
import { SourceText, plainSql, PipeError } from '../../src/errors.ts';
import type { Encoder } from '../../src/formats/format.ts';
import type { AggregateFn } from '../../src/sql/functions/define.ts';
import { BIGINT, TIMESTAMP, TIMESTAMP_LTZ, type Schema } from '../../src/sql/types.ts';
import { tumble } from '../../src/sql/windows/tumble.ts';
import type { DeadLetter, OutBlock } from '../../src/state/store.ts';
import { MemorySource, type Stored } from './memory-source.ts';

const NO_KEY = new Uint8Array(0);

/** A log without I/O; several runs of a pipeline may share it, as processes share a broker. */
export class MemoryLog implements Log {
  readonly kind: Log['kind'];
  readonly id: string;
  readonly label: string;
  readonly topicsByName = new Map<string, Stored[][]>();
  readonly epochs: number[] = [];
  sources: MemorySource[] = [];
  opened: number[] = [];
  closed = 0;
  /** Awaited by each delivery. */
  gate: Promise<void> = Promise.resolve();
  loadSample?: (topic: string, file: string, key: string | null, partitions: number) => Promise<number | null>;

  constructor(kind: Log['kind'] = 'embedded') {
    this.kind = kind;
    this.id = kind === 'embedded' ? 'embedded' : 'cluster-1';
    this.label = kind === 'embedded' ? 'embedded log' : 'Kafka at localhost:9092';
  }

  away(): boolean { return false; }
  open(timeoutMs: number): Promise<void> { this.opened.push(timeoutMs); return Promise.resolve(); }
  close(): Promise<void> { this.closed++; return Promise.resolve(); }
  topics(): Promise<TopicInfo[]> { return Promise.all([...this.topicsByName.keys()].map(async n => (await this.topic(n)) as TopicInfo)); }

  topic(name: string): Promise<TopicInfo | null> {
    const logs = this.topicsByName.get(name);
    return Promise.resolve(logs === undefined ? null : { name, id: `id-${name}`, partitions: logs.map((l, partition) => ({ partition, begin: 0, end: l.length, bytes: null })) });
  }

  createTopic(t: CreateTopic): Promise<'created' | 'exists'> {
    if (this.topicsByName.has(t.name)) return Promise.resolve('exists');
    this.topicsByName.set(t.name, Array.from({ length: t.partitions }, () => []));
    return Promise.resolve('created');
  }

  source(o: SourceOptions): Source {
    const logs = this.topicsByName.get(o.topic) as Stored[][];
    const source = new MemorySource(logs, logs.map((l, p) => o.positions.get(p) ?? (o.from === 'latest' ? l.length : 0)), o.topic);
    this.sources.push(source);
    return source;
  }

  delivery(): Delivery {
    let last: number | null = null;
    return {
      recover: () => Promise.resolve(last),
      commit: async (e: OutEpoch) => {
        await this.gate;
        if (last !== null && e.number <= last) return;
        last = e.number;
        this.epochs.push(e.number);
        for (const b of e.blocks) {
          const records = openBlock(b.data, b.topic, b.partition, 0, null);
          for (let i = 0; i < records.length; i++) this.#append(b.topic, b.partition, records.data.toString('utf8', records.valueStart[i], records.valueEnd[i]));
        }
      },
      close: () => Promise.resolve(),
    };
  }

  append(topic: string, records: readonly NewRecord[]): Promise<void> {
    for (const r of records) this.#append(topic, r.partition ?? 0, String(r.value));
    return Promise.resolve();
  }

  offsetsAt(): Promise<ReadonlyMap<number, number>> { return Promise.resolve(new Map()); }

  /** Values of a topic, sorted. */
  values(topic: string): string[] { return (this.topicsByName.get(topic) ?? []).flat().map(r => r.value).sort(); }

  send(topic: string, partition: number, value: string, timestamp = Date.now()): void { this.#append(topic, partition, value, timestamp); }

  #append(topic: string, partition: number, value: string, timestamp = Date.now()): void {
    (this.topicsByName.get(topic)?.[partition] as Stored[]).push({ value, timestamp });
    for (const s of this.sources) s.wake();
  }
}

const letter = (code: DeadLetter['code'], message: string): DeadLetter => ({ source: 'events', operator: null, topic: 'events', partition: 0, offset: 0, timestamp: 0, code, message, place: null, key: null, value: null, size: 0 });

/** The simplest books that keep the promises of the ports; one partition, no dead-letter topics. */
export const memoryParts: EngineParts = {
  accounting: ({ store, onError }) => {
    const run: { -readonly [K in keyof RunCounts]: number } = { records_in: 0, rows_out: 0, filtered: 0, late: 0, future: 0, undecodable: 0, failed: 0 };
    const before = store.saved().counters;
    let letters: DeadLetter[] = [];
    let last: string | null = null;
    const bad = (code: DeadLetter['code'], message: string): void => {
      if (onError === 'stop') throw new PipeError(code, message);
      letters.push(letter(code, message));
      last = `${code}: ${message}`;
    };
    return {
      read: (_s, n) => { run.records_in += n; },
      undecodable: (_s, _r, _i, code, message) => { run.undecodable++; bad(code, message); },
      future: () => { run.future++; },
      filtered: (_o, n) => { run.filtered += n; },
      late: () => { run.late++; },
      failed: (_o, _b, _i, code, message) => { run.failed++; bad(code, message); },
      rowsOut: (_s, n) => { run.rows_out += n; },
      counts: () => ({ ...run }),
      counters: () => new Map(Object.entries(run).map(([k, v]) => [k, v + (before.get(k) ?? 0)])),
      takeDeadLetters: () => { const taken = letters; letters = []; return taken; },
      bytes: () => 0,
      takeBlocks: () => [],
      lastProblem: () => last,
      tallies: () => ({ rows: new Map(), filtered: new Map(), late: new Map(), failed: new Map(), dead: new Map(), problems: [], restarts: 0 }),
    } satisfies Accounting;
  },

  outbox: ({ spec, plan, formats }, accounting) => {
    const builders = new Map<string, BlockBuilder>();
    const outputs = new Map<string, Output>(plan.sinks.map(w => {
      const sink = spec.sinks.find(s => s.name === w.sink) as PipelineSpec['sinks'][number];
      const encoder = formats.find('json')?.encoder?.(w.schema, { timestamps: 'epoch_ms', decimals: 'number', key: [] }) as Encoder;
      const builder = builders.get(sink.topic) ?? new BlockBuilder();
      builders.set(sink.topic, builder);
      return [w.sink, {
        push: b => {
          for (let i = 0; i < b.length; i++) { builder.begin(NO_KEY, -1, 0, 0); encoder.value(b, i, builder.out); builder.end(); }
          accounting.rowsOut(w.sink, b.length);
        },
        watermark: () => undefined, finish: () => undefined,
      }];
    }));
    return {
      outputs,
      bytes: () => [...builders.values()].reduce((n, b) => n + b.bytes, 0),
      take: () => [...builders].flatMap(([topic, b]): OutBlock[] => (b.rows === 0 ? [] : [{ topic, partition: 0, rows: b.rows, data: b.finish() }])),
    };
  },

  checkpointer: ({ store }, accounting, outbox, delivery) => {
    let { epoch, delivery: delivered } = store.saved();
    let sending: Promise<void> = Promise.resolve();
    let busy = false;
    return {
      delivering: () => busy, failed: () => false, stop: () => undefined,
      recover: async () => {
        const last = await delivery.recover(delivered);
        const blocks = store.outbox();
        if (blocks.length > 0 && (last === null || last < delivered)) await delivery.commit({ number: delivered, blocks, offsets: new Map() });
        return store.saved();
      },
      commit: async e => {
        await sending;
        const out = outbox.take();
        epoch++;
        if (out.length > 0) delivered = epoch;
        store.commit({ epoch, delivery: delivered, positions: e.positions, watermarks: e.watermarks, counters: accounting.counters(), deadLetters: accounting.takeDeadLetters(), out }, e.write);
        if (out.length > 0) {
          busy = true;
          sending = delivery.commit({ number: epoch, blocks: out, offsets: new Map() }).finally(() => { busy = false; });
          sending.catch(() => undefined);
        }
      },
      drain: async () => { await sending; store.clearOutbox(); },
    };
  },
};

const count: AggregateFn = {
  name: 'COUNT', args: [], returns: BIGINT, returnsNull: false, state: [{ name: '', repr: 'f64', column: 'INTEGER', init: () => 0 }],
  add: (state, at, g) => { (state[at] as Float64Array)[g] = ((state[at] as Float64Array)[g] as number) + 1; },
  result: (state, at, g) => (state[at] as Float64Array)[g] as number,
};

export const WINDOW = 10_000;

/** `SELECT id, COUNT(*) AS n, window_start, window_end, window_time FROM events GROUP BY id, TUMBLE(ts, 10 s)` into `counts`, as the planner would make it. */
export function countPipeline(o: { name?: string; idle?: number; delay?: number; topic?: string; sink?: string; start?: 'earliest' | 'latest'; create?: boolean; memory?: number; checkpoint?: number; window?: boolean } = {}): CompiledPipeline {
  const file = new SourceText('counts.yaml', 'name: counts\n');
  const span = { source: file, start: 0, end: 4 };
  const create = o.create === true ? { partitions: 2, retention: null, config: {} } : null;
  const fields: Schema = [{ name: 'id', type: BIGINT, nullable: true }, { name: 'ts', type: TIMESTAMP_LTZ, nullable: false }];
  const column = (i: number) => ({ field: fields[i] as Schema[number], required: false, span });
  const spec: PipelineSpec = {
    name: o.name ?? 'counts', description: null, file, path: '/p/counts.yaml', dir: '/p', steps: [], tests: [],
    sources: [{
      name: 'events', nameSpan: span, topic: o.topic ?? 'events', topicSpan: span, format: 'json', columns: [column(0), { ...column(1), field: { name: 'at', type: BIGINT, nullable: true } }], key: null,
      eventTime: { from: 'at', unit: 'ms', as: 'ts', delay: o.delay ?? 0, idle: o.idle ?? 10_000, maxFuture: 3_600_000, span },
      start: o.start ?? 'earliest', sample: null, sampleSpan: null, create, onError: null, onDataLoss: 'stop',
    }],
    sinks: [{ name: 'counts', nameSpan: span, topic: o.sink ?? 'counts', topicSpan: span, format: { type: 'json', timestamps: 'epoch_ms', decimals: 'number' }, key: [], emit: 'final', emitSpan: null, create, sql: plainSql('SELECT'), from: null, onError: null }],
    settings: { kafka: { brokers: null, idPrefix: '', client: {} }, state: null, timeZone: 'UTC', checkpoint: o.checkpoint ?? 20, delivery: 'exactly-once', memory: o.memory ?? null, workers: null, maxBad: null, maxRecordBytes: 1 << 20 },
  };
  const times = ['window_start', 'window_end', 'window_time'].map(name => ({ name, type: TIMESTAMP, nullable: false }));
  const windowed = o.window !== false;
  const schema: Schema = [fields[0] as Schema[number], { name: 'n', type: BIGINT, nullable: false }, ...(windowed ? times : [])];
  return {
    spec, queries: [], warnings: [], unbounded: windowed ? [] : [new PipeError('user.sql.unbounded_aggregate', 'this aggregate has no window, so while following it is never final')],
    plan: {
      scans: [{ id: 'scan', source: 'events', columns: [{ name: 'id', eventTime: false, unit: null }, { name: 'at', eventTime: true, unit: 'ms' }], schema: fields, time: 1 }],
      operators: [{
        k: 'aggregate', id: 'agg', input: 'scan', filter: null, filters: [], window: windowed ? { def: tumble, ms: [WINDOW], time: 1 } : null,
        keys: [{ k: 'col', index: 0, type: BIGINT, nullable: true }], keyNames: ['id'], calls: [{ fn: count, args: [], filter: null, text: 'COUNT(*)', type: BIGINT, at: span }],
        schema, overRecords: true, by: [], query: 'counts',
      }],
      sinks: [{ sink: 'counts', input: 'agg', schema }],
    },
  };
}

export const event = (id: number, at: number): string => `{"id":${id},"at":${at}}`;
export const counted = (id: number, n: number, start: number): string => `{"id":${id},"n":${n},"window_start":${start},"window_end":${start + WINDOW},"window_time":${start + WINDOW - 1}}`;
