import { createReadStream, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Log, NewRecord } from '../connectors/connector.ts';
import { PipeError } from '../errors.ts';
import type { Command, Io, Parsed } from './command.ts';
import { plural } from '../numbers.ts';
import { toRecord, type ToRecord } from './topics-keys.ts';
import { LineSplitter, PausingReader } from './topics-lines.ts';
import { logFlags, partitionFlag, say, topicArgument, withLog, writableTopic, type Target } from './topics-log.ts';
import { withProgress, type Work } from './work-progress.ts';

/** One append takes this much, or what came before a pause. */
const BATCH_BYTES = 1 << 20;
const BATCH_RECORDS = 10_000;
/** ms without input after which what is there is sent: a line that is typed goes out at once. */
const PAUSE_MS = 20;

export const topicsSend: Command = {
  name: 'topics send',
  summary: 'sends each line of stdin, or of a file, as a record: the line as it is, JSON or not',
  usage: 'TOPIC',
  examples: [
    ['pipe topics send transactions --key-field account < data.jsonl', 'the key is the text of a JSON field'],
    ['pipe topics send notes --key-sep \'\\t\' --file notes.tsv', 'key, a tab, value'],
    ['echo hello | pipe topics send notes --key greeting --header from=me', 'one record'],
  ],
  flags: [
    { name: 'file', value: 'FILE', summary: 'lines of this file instead of stdin' },
    { name: 'key', value: 'K', summary: 'this key for all records' },
    { name: 'key-field', value: 'NAME', summary: 'the text of this field of JSON lines is the key' },
    { name: 'key-sep', value: 'TEXT', summary: 'what stands between key and value in a line (\\t is a tab)' },
    { name: 'partition', value: 'P', summary: 'to this partition (otherwise by key; without key in turn)' },
    { name: 'header', value: 'KEY=VALUE', many: true, summary: 'a header of all records' },
    { name: 'create', value: 'boolean', summary: 'make a missing topic on Kafka, too (3 partitions)' },
    ...logFlags,
  ],
  run: async (p, io) => {
    const name = topicArgument(p, 'topics send');
    toRecord(p, null);
    const file = p.text('file');
    if (file === undefined) return send(p, io, name, io.in, new Sent());
    const { input, bytes } = readable(resolve(io.cwd, file), file);
    const sent = new Sent();
    const work: Work = { name: 'send', doing: 'sending', about: { topic: name }, unit: 'records', reached: () => ({ count: sent.records, done: sent.read, of: bytes }) };
    return withProgress(p, io, work, told => send(p, told, name, input, sent));
  },
};

/** How far it is. */
class Sent {
  records = 0;
  /** Bytes of input that were read. */
  read = 0;
}

const send = (p: Parsed, io: Io, name: string, input: NodeJS.ReadableStream, sent: Sent): Promise<number> => withLog(p, io, async o => {
  const topic = await writableTopic(p, io, o, name);
  const record = toRecord(p, partitionFlag(p, name, topic.partitions));
  if (input === io.in && io.in.isTTY === true) say(p, io, 'each line is a record; Ctrl-D ends');
  const sender = new Sender(o.log, topic, record, sent);
  await sender.run(new PausingReader(input, io.signal));
  if (sender.blank > 0) say(p, io, `${plural(sender.blank, 'blank line')} skipped: no field for the key`);
  finish(p, io, name, sent.records);
  return 0;
});

/** The last line of a command that sends. */
export function finish(p: Parsed, io: Io, topic: string, records: number): void {
  if (p.has('json')) io.err.write(`${JSON.stringify({ v: 1, topic, records })}\n`);
  say(p, io, `${plural(records, 'record')} sent to ${topic}`);
}

/** A file and its size; 0 for a pipe. */
function readable(path: string, given: string): { readonly input: NodeJS.ReadableStream; readonly bytes: number } {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new PipeError('user.usage.bad_value', `--file ${given}: there is no such file`);
  if (stat.isDirectory()) throw new PipeError('user.usage.bad_value', `--file ${given}: it is a folder`);
  return { input: createReadStream(path, { highWaterMark: BATCH_BYTES }), bytes: stat.size };
}

/** Whoever sends the rest must know what has gone. */
export function cutShort(error: unknown, sent: number, hint?: string): unknown {
  if (!(error instanceof PipeError) || sent === 0) return error;
  return new PipeError(error.code, `${error.message}; ${plural(sent, 'record')} before ${sent === 1 ? 'was' : 'were'} sent`, { hint: hint ?? error.hint, cause: error });
}

class Sender {
  /** Lines that were skipped. */
  blank = 0;
  readonly #log: Log;
  readonly #topic: Target;
  readonly #record: ToRecord;
  readonly #sent: Sent;
  readonly #lines = new LineSplitter();
  #batch: NewRecord[] = [];
  #bytes = 0;
  #line = 0;
  /** Up to here everything is durable. */
  #sentLine = 0;

  constructor(log: Log, topic: Target, record: ToRecord, sent: Sent) {
    this.#log = log;
    this.#topic = topic;
    this.#record = record;
    this.#sent = sent;
  }

  /** Until the end of input, or the signal: then complete lines are sent. A line that is no record stops after those before it. */
  async run(input: PausingReader): Promise<void> {
    try {
      for (;;) {
        const next = await input.next(this.#batch.length === 0 ? Infinity : PAUSE_MS);
        if (next.kind === 'chunk') await this.#take(next.chunk);
        else if (next.kind === 'pause') await this.#flush();
        else {
          const rest = next.kind === 'end' ? this.#lines.end() : null;
          if (rest !== null) this.#add(rest);
          break;
        }
      }
    } catch (error) {
      if (error instanceof PipeError && error.code.startsWith('user.data.')) {
        await this.#flush();
        throw new PipeError(error.code, `${error.message}; ${this.#sent.records === 0 ? 'nothing was sent' : `${plural(this.#sent.records, 'record')} before it ${this.#sent.records === 1 ? 'was' : 'were'} sent`}`, { hint: `${error.hint === undefined ? '' : `${error.hint}; `}the rest: tail -n +${this.#line} once line ${this.#line} is mended, tail -n +${this.#line + 1} without it` });
      }
      throw error instanceof PipeError ? this.#cutShort(error) : unreadable(error);
    }
    try {
      await this.#flush();
    } catch (error) {
      throw this.#cutShort(error);
    }
  }

  async #take(chunk: Buffer): Promise<void> {
    for (const line of this.#lines.push(chunk)) if (this.#add(line)) await this.#flush();
    this.#sent.read += chunk.length;
  }

  #cutShort(error: unknown): unknown { return cutShort(error, this.#sent.records, `send the rest: tail -n +${this.#sentLine + 1}`); }

  /** True when there is enough for an append. No promise, since that would cost as much as the rest. */
  #add(line: Buffer): boolean {
    const record = this.#record(line, ++this.#line);
    if (record === null) this.blank++;
    else this.#batch.push(record);
    this.#bytes += line.length;
    return this.#bytes >= BATCH_BYTES || this.#batch.length >= BATCH_RECORDS;
  }

  async #flush(): Promise<void> {
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    const line = this.#line;
    this.#batch = [];
    this.#bytes = 0;
    if (this.#sent.records === 0) await this.#topic.make();
    await this.#log.append(this.#topic.name, batch);
    this.#sent.records += batch.length;
    this.#sentLine = line;
  }
}

function unreadable(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  return error instanceof PipeError || code === undefined ? error : new PipeError('user.usage.bad_value', `the input cannot be read: ${message}`, { cause: error });
}
