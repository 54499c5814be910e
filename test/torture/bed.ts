import Sqlite from 'better-sqlite3';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeLog } from '../../src/cli/make-log.ts';
import type { Log } from '../../src/connectors/connector.ts';
import { readAll } from '../cases/run-case.ts';
import { Project, type Finished, type Running } from '../e2e/project.ts';
import { fractions } from '../random.ts';
import { unique } from '../unique.ts';
import { type Difference, type ShapeName, Workload } from './workload.ts';

const PARTITIONS = 3;
const STEP = 60;
/** Between two writes. */
const FEED_MS = 25;
/** A machine under load starts slowly. */
const START_MS = 120_000;
const quiet = { warn: () => undefined, info: () => undefined };

export interface BedOptions {
  readonly shape?: ShapeName;
  readonly seed: number;
  /** null: the embedded log. */
  readonly brokers: string | null;
  /** More settings, `, key: value`. */
  readonly settings?: string;
  readonly workers?: number;
  /** Where records are written and rows are read, if not there. */
  readonly direct?: string | null;
  /** Before anything is made in the folder of the project. */
  readonly prepare?: (dir: string) => void;
}

export async function openLog(brokers: string | null, dir: string): Promise<Log> {
  const log = await makeLog({ brokers: brokers === null ? null : [brokers], origin: 'test' }, `${dir}/.pipe`, null, quiet);
  await log.open(20_000, new AbortController().signal);
  return log;
}

/** One pipeline with its topics, fed from here and run as a process: `pipe run`. */
export class Bed {
  readonly name: string;
  readonly work: Workload;
  readonly project: Project;
  readonly log: Log;
  /** Numbers in [0, 1) of this bed's seed. */
  readonly chance: () => number;
  readonly #o: BedOptions;
  #stateFolder = '.pipe/state';
  #closed = false;

  private constructor(o: BedOptions, project: Project, log: Log, name: string) {
    this.#o = o;
    this.project = project;
    this.log = log;
    this.name = name;
    this.work = new Workload(o.shape ?? 'sums', o.seed, PARTITIONS);
    this.chance = fractions(o.seed + 1);
  }

  static async make(o: BedOptions): Promise<Bed> {
    const project = new Project();
    const name = unique('torture');
    o.prepare?.(project.dir);
    const log = await openLog(o.direct === undefined ? o.brokers : o.direct, project.dir);
    const bed = new Bed(o, project, log, name);
    for (const topic of [bed.input, bed.output]) await log.createTopic({ name: topic, partitions: PARTITIONS, retention: null, config: {} });
    bed.writePipeline();
    return bed;
  }

  get input(): string { return `${this.name}-in`; }
  get output(): string { return `${this.name}-out`; }
  get file(): string { return `${this.name}.yaml`; }

  /** The state file. */
  get state(): string { return `${this.project.dir}/${this.#stateFolder}/${this.name}@${this.log.id}.db`; }

  /** The last epoch that is in the state file; 0 where there is none. */
  epoch(): number {
    try {
      const db = new Sqlite(this.state, { readonly: true });
      try {
        return db.prepare("SELECT value FROM meta WHERE key = 'epoch'").pluck().get() as number;
      } finally {
        db.close();
      }
    } catch {
      return 0;
    }
  }

  writePipeline(more = '', edit: (yaml: string) => string = y => y): void {
    const workers = this.#o.workers === undefined ? '' : `, workers: ${this.#o.workers}`;
    this.#stateFolder = /state: \.\.\/(\w+)/.exec(`${more}${this.#o.settings ?? ''}`)?.[1] ?? '.pipe/state';
    this.project.write(this.file, edit(this.work.pipeline(this.name, `${this.#o.settings ?? ''}${workers}${more}`)));
  }

  get env(): Record<string, string> { return this.#o.brokers === null ? {} : { PIPE_BROKERS: this.#o.brokers }; }

  start(o: { readonly failpoint?: string | null; readonly args?: readonly string[]; readonly file?: string; readonly env?: Readonly<Record<string, string>> } = {}): Running {
    const env: Record<string, string> = { ...this.env, ...o.env, ...(o.failpoint == null ? {} : { PIPE_FAILPOINT: o.failpoint }) };
    return this.project.start(['run', o.file ?? this.file, '--follow', '--no-print', ...(o.args ?? [])], { env });
  }

  /** Starts it, and feeds it until it has recovered and has written an epoch. */
  async begin(o: Parameters<Bed['start']>[0] = {}): Promise<Running> {
    const before = this.epoch();
    const run = this.start(o);
    const end = performance.now() + START_MS;
    while (this.epoch() <= before) {
      if (await this.feedWhile(run, FEED_MS) || performance.now() > end) throw new Error(`it did not begin\n${run.err}`);
      await sleep(FEED_MS);
    }
    return run;
  }

  async feed(n = STEP): Promise<void> { await this.log.append(this.input, this.work.next(n)); }

  /** SIGTERM: it must end well. */
  async stop(run: Running): Promise<void> {
    run.kill('SIGTERM');
    mustEnd(await run.finished, 0);
  }

  /** Feeds while the process lives, for `ms` at most; true when it ended by itself. */
  async feedWhile(run: Running, ms: number): Promise<boolean> {
    const until = performance.now() + ms;
    const ended = (): boolean => run.child.exitCode !== null || run.child.signalCode !== null;
    while (!ended() && performance.now() < until) {
      await this.feed();
      await sleep(FEED_MS);
    }
    return ended();
  }

  /** Runs to the end: all windows closed. */
  untilEnd(args: readonly string[] = []): Promise<Finished> { return this.project.run(['run', this.file, '--until-end', '--json', '--no-print', ...args], { env: this.env }); }

  rows(): Promise<string[]> { return readAll(this.log, this.output); }

  /** Runs to the end and compares all that was ever written. Throws when the run does not end well. */
  async check(): Promise<Difference> {
    const last = await this.untilEnd();
    const calm = /"late":0,"future":0,"undecodable":0,"failed":0/.test(last.err);
    if (last.code !== 0 || !calm) throw new Error(`the run to the end: exit ${last.code ?? last.signal}\n${last.err}`);
    const found = this.work.compare(await this.rows());
    this.work.jump();
    return found;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.project.remove();
    this.work.close();
    await this.log.close();
  }
}

/** Makes a bed, and takes it away whatever happens. */
export async function onBed<T>(o: BedOptions, work: (bed: Bed) => Promise<T>): Promise<T> {
  const bed = await Bed.make(o);
  try {
    return await work(bed);
  } finally {
    await bed.close();
  }
}

/** Throws unless the process ended so, with all of `says` on stderr. */
export function mustEnd(f: Finished, code: number, ...says: readonly (string | RegExp)[]): void {
  const missing = says.filter(s => (typeof s === 'string' ? !f.err.includes(s) : !s.test(f.err)));
  if (f.code !== code || missing.length > 0) throw new Error(`exit ${f.code ?? f.signal}, not ${code}${missing.map(m => `; not said: ${String(m)}`).join('')}\n${f.err}`);
}

/** Throws unless a SIGKILL ended it, and nothing else. */
export function mustDie(f: Finished): void {
  if (f.signal !== 'SIGKILL' || f.err.includes('error[')) throw new Error(`ended by exit ${f.code ?? f.signal}, not by the kill\n${f.err}`);
}

export const none: Difference = { lost: 0, dup: 0, mismatch: 0 };
export const plus = (a: Difference, b: Difference): Difference => ({ lost: a.lost + b.lost, dup: a.dup + b.dup, mismatch: a.mismatch + b.mismatch });
