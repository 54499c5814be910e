import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseCommandLine } from '../../src/cli/args.ts';
import { makeLog } from '../../src/cli/make-log.ts';
import { makeRun } from '../../src/cli/run.ts';
import { runParts } from '../../src/cli/run-parts.ts';
import type { Log, NewRecord } from '../../src/connectors/connector.ts';
import { PipeErrors } from '../../src/errors.ts';
import { Database } from '../../src/state/database.ts';
import { builtWorker } from '../cases/run-case.ts';
import { fakeIo } from '../cli/fake-io.ts';

/** A row of the table `dead_letters`. */
export interface Letter {
  readonly code: string;
  readonly operator: string | null;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly value: Buffer | null;
  readonly size: number;
}

/** A record of a topic. */
export interface Stored {
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Outcome {
  readonly out: string;
  readonly err: string;
  /** What stopped the run: PipeErrors, unless pipe has crashed. */
  readonly problems: readonly unknown[];
}

/** Memory where there is enough: these tests make many small files durable, and ask nothing about disks. */
function scratch(): string {
  const memory = '/dev/shm';
  if (!existsSync(memory)) return tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize > 2 ** 30 ? memory : tmpdir();
}

/** A project folder with an embedded log, in which pipelines run within this process. */
export class Sandbox {
  readonly dir: string;
  readonly log: Log;

  constructor(dir: string, log: Log) {
    this.dir = dir;
    this.log = log;
  }

  static async open(): Promise<Sandbox> {
    const dir = mkdtempSync(join(scratch(), 'pipe-promise-'));
    mkdirSync(join(dir, 'pipelines'));
    const log = await makeLog({ brokers: null, origin: 'test' }, join(dir, '.pipe'), null, { warn: () => undefined, info: () => undefined });
    await log.open(1000, new AbortController().signal);
    return new Sandbox(dir, log);
  }

  /** Writes a file of the project. */
  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.dir, name)), { recursive: true });
    writeFileSync(join(this.dir, name), text);
  }

  async send(topic: string, partitions: number, records: readonly (Partial<NewRecord> & Pick<NewRecord, 'value'>)[]): Promise<void> {
    await this.log.createTopic({ name: topic, partitions, retention: null, config: {} });
    await this.log.append(topic, records.map(r => ({ key: null, headers: [], partition: 0, timestamp: null, ...r })));
  }

  /** `pipe run`. */
  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    const command = makeRun(() => Promise.resolve({ ...runParts, worker: builtWorker }));
    const io = fakeIo({ cwd: this.dir, env });
    const problems = await command.run(parseCommandLine(command, [...args, '--until-end', '--brokers', 'none']), io)
      .then(() => [], (e: unknown) => (e instanceof PipeErrors ? e.problems : [e]));
    return { out: io.out.text, err: io.err.text, problems };
  }

  letters(pipeline: string): Letter[] { return this.#ask(pipeline, 'SELECT code, operator, topic, "partition", "offset", value, size FROM dead_letters ORDER BY topic, "partition", "offset"') as Letter[]; }

  counters(pipeline: string): Readonly<Record<string, number>> {
    return Object.fromEntries((this.#ask(pipeline, 'SELECT name, value FROM counters') as { name: string; value: number }[]).map(c => [c.name, c.value]));
  }

  #ask(pipeline: string, sql: string): unknown[] {
    const db = new Database(join(this.dir, '.pipe/state', `${pipeline}@embedded.db`), { readonly: true });
    try {
      return db.prepare(sql).all();
    } finally {
      db.close();
    }
  }

  /** All records of a topic; none where there is no topic. */
  async topic(name: string): Promise<Stored[]> {
    if (await this.log.topic(name) === null) return [];
    const source = this.log.source({ topic: name, topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'stop' });
    await source.open();
    const found: Stored[] = [];
    while (source.partitions().some(p => source.position(p) < source.endAtOpen(p))) {
      for (const b of await source.poll(new Set(), 100, new AbortController().signal)) {
        for (let i = 0; i < b.length; i++) {
          const [from, to] = [b.valueStart[i] as number, b.valueEnd[i] as number];
          found.push({ value: from < 0 ? null : Buffer.from(b.data.subarray(from, to)), headers: Object.fromEntries(b.headers(i).map(h => [h.key, String(h.value)])) });
        }
      }
    }
    await source.close();
    return found;
  }

  async rows(topic: string): Promise<string[]> { return (await this.topic(topic)).map(r => String(r.value)).sort(); }

  async close(): Promise<void> {
    await this.log.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
