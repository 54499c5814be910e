import type { Source, TopicInfo } from '../connectors/connector.ts';
import type { RecordBatch } from '../engine/records.ts';
import { PipeError } from '../errors.ts';
import { countFlag } from './args.ts';
import type { Command, Io, Parsed } from './command.ts';
import { Rendering } from './topics-render.ts';
import { atMostOne, existingTopic, logFlags, type OpenLog, partitionFlag, say, topicArgument, withLog } from './topics-log.ts';

const POLL_MS = 1000;

export const topicsTail: Command = {
  name: 'topics tail',
  summary: 'prints the values of new records as they come; committed records only, without a consumer group',
  usage: 'TOPIC',
  examples: [
    ['pipe topics tail fraud-alerts', 'new records until Ctrl-C'],
    ['pipe topics tail account-balances --from-beginning --until-end', 'all that is there now'],
    ['pipe topics tail transactions -n 20 --json', 'the last 20, with key, offset, time and headers, then new ones'],
  ],
  flags: [
    { name: 'from-beginning', value: 'boolean', summary: 'from the first record' },
    { name: 'lines', short: 'n', value: 'N', summary: 'from the last N records' },
    { name: 'until-end', value: 'boolean', summary: 'stop at the end as it is now' },
    { name: 'count', value: 'N', summary: 'stop after N records' },
    { name: 'partition', value: 'P', summary: 'this partition only' },
    ...logFlags,
  ],
  run: async (p, io) => {
    const name = topicArgument(p, 'topics tail');
    atMostOne(p, ['from-beginning', 'lines']);
    const last = p.text('lines') === undefined ? null : countFlag('-n', p.text('lines') as string);
    const count = p.text('count') === undefined ? Infinity : countFlag('--count', p.text('count') as string);
    return withLog(p, io, async o => {
      const topic = await existingTopic(o, name);
      const partition = partitionFlag(p, name, topic.partitions.length);
      if (p.has('until-end') && !p.has('from-beginning') && last === null) say(p, io, 'nothing to print: --until-end goes with --from-beginning or -n');
      const source = openSource(p, o, topic, last);
      try {
        await source.open();
        await new Tail(p, io, source, partition, count).run(last);
      } catch (error) {
        if (!io.signal.aborted || error instanceof PipeError) throw error;
      } finally {
        await source.close();
      }
      return 0;
    });
  },
};

/** On Kafka the marker of a transaction takes an offset too: go back further than the records that are wanted. */
const reach = (o: OpenLog, records: number): number => (o.log.kind === 'kafka' ? 2 * records + 10 : records);

function openSource(p: Parsed, o: OpenLog, topic: TopicInfo, last: number | null): Source {
  const positions = new Map(last === null ? [] : topic.partitions.map(x => [x.partition, Math.max(x.begin, x.end - reach(o, last))] as const));
  return o.log.source({ topic: topic.name, topicId: null, positions, from: p.has('from-beginning') ? 'earliest' : 'latest', onDataLoss: 'earliest' });
}

/** One `topics tail`: first what is there (in order of time with -n), then what comes. */
class Tail {
  readonly #io: Io;
  readonly #source: Source;
  readonly #partition: number | null;
  readonly #rendering: Rendering;
  readonly #untilEnd: boolean;
  #left: number;

  constructor(p: Parsed, io: Io, source: Source, partition: number | null, count: number) {
    this.#io = io;
    this.#source = source;
    this.#partition = partition;
    this.#rendering = new Rendering({ json: p.has('json'), terminal: io.out.isTTY });
    this.#untilEnd = p.has('until-end');
    this.#left = count;
  }

  async run(last: number | null): Promise<void> {
    if (last !== null) await this.#printLast(last);
    else if (this.#untilEnd) await this.#toEnd(b => this.#print(b));
    if (this.#untilEnd) return;
    while (!this.#ended()) {
      for (const b of await this.#source.poll(this.#paused(() => false), POLL_MS, this.#io.signal)) await this.#print(b);
    }
  }

  /** Reads to the end as of open; `take` gets the records before it. */
  async #toEnd(take: (b: RecordBatch) => Promise<void> | void): Promise<void> {
    const s = this.#source;
    const done = (p: number): boolean => s.position(p) >= s.endAtOpen(p);
    for (;;) {
      const paused = this.#paused(done);
      if (this.#ended() || s.partitions().every(p => paused.has(p))) return;
      for (const b of await s.poll(paused, POLL_MS, this.#io.signal)) await take(b);
    }
  }

  /** What came after the end as of open is new: it is printed after the last ones, too. */
  async #printLast(n: number): Promise<void> {
    const old: { readonly at: number; readonly toEnd: number; readonly line: Buffer }[] = [];
    const fresh: Buffer[] = [];
    await this.#toEnd(b => {
      const end = this.#source.endAtOpen(b.partition);
      for (let i = 0; i < b.length; i++) {
        const line = this.#rendering.line(b, i);
        if ((b.offsets[i] as number) < end) old.push({ at: b.timestamps[i] as number, toEnd: end - (b.offsets[i] as number), line });
        else if (!this.#untilEnd) fresh.push(line);
      }
    });
    // what was sent together has one time: then the partitions come side by side
    old.sort((a, b) => a.at - b.at || b.toEnd - a.toEnd);
    await this.#write([...(n === 0 ? [] : old.slice(-n)).map(x => x.line), ...fresh]);
  }

  async #print(b: RecordBatch): Promise<void> {
    const end = this.#untilEnd ? this.#source.endAtOpen(b.partition) : Infinity;
    const lines: Buffer[] = [];
    for (let i = 0; i < b.length && lines.length < this.#left && (b.offsets[i] as number) < end; i++) lines.push(this.#rendering.line(b, i));
    await this.#write(lines);
  }

  async #write(lines: readonly Buffer[]): Promise<void> {
    const some = lines.slice(0, this.#left);
    if (some.length === 0) return;
    this.#left -= some.length;
    if (!this.#io.out.write(Buffer.concat(some))) await this.#io.out.drained();
  }

  #ended(): boolean { return this.#left <= 0 || this.#io.signal.aborted; }

  #paused(done: (partition: number) => boolean): Set<number> {
    return new Set(this.#source.partitions().filter(p => (this.#partition !== null && p !== this.#partition) || done(p)));
  }
}
