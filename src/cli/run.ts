import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { existsSync } from 'node:fs';
import type { CompiledPipeline } from '../config/compile.ts';
import type { PipelineSpec } from '../config/spec.ts';
import type { Log } from '../connectors/connector.ts';
import { SourceSharing } from '../connectors/shared-source.ts';
import type { Output } from '../engine/operator.ts';
import type { Workers } from '../engine/parallel/parallel.ts';
import { PipelineRuntime, writtenTopics } from '../engine/runtime.ts';
import { sharingFormats } from '../engine/shared-scan.ts';
import { PipeError, PipeErrors, problemsOf } from '../errors.ts';
import { liveFolder } from '../observe/live-names.ts';
import type { StateStore } from '../state/store.ts';
import type { Command, Io, Parsed } from './command.ts';
import { askFor } from './file-gone.ts';
import { LastRows } from './last-rows.ts';
import { chooseLog, type LogChoice } from './log-choice.ts';
import { Lookers, stateOf, type Looked } from './lookers.ts';
import { logLine, Messages } from './messages.ts';
import { dataDir, statePath } from './places.ts';
import { Printing } from './print.ts';
import { makeBoard } from './run-board.ts';
import type { RunModules } from './run-modules.ts';
import { memoryLimit, runFlags, runOptions, type RunOptions } from './run-options.ts';
import { placeFlags, startLine, summaryData, summaryLine } from './run-summary.ts';
import { missingTopics, prepareTopics } from './run-topics.ts';
import type { RunView } from './run-ui.ts';
import { afterPatience, stoppingLine } from './stopping.ts';
import { tuneV8 } from './tune-v8.ts';
import { packageVersion } from './version.ts';
import { workBoard, type Reached } from './work-progress.ts';
import { workersFor } from './workers.ts';

const DRAIN_MS = 20_000;

export const run: Command = makeRun(async () => (await import('./run-parts.ts')).runParts);

/** The command over the parts that it is put together from. */
export function makeRun(parts: () => Promise<RunModules>): Command {
  return {
    name: 'run',
    summary: 'runs pipelines: on the embedded log, or on Kafka where a broker is set',
    usage: 'FILE|FOLDER...',
    examples: [
      ['pipe run balances.yaml', 'follows on a terminal, reads to the end elsewhere'],
      ['pipe run pipelines/ --until-end', 'all pipelines of a folder in one process'],
      ['pipe run fraud.yaml --brokers localhost:9092', 'on Kafka, exactly once'],
      ['pipe run fraud.yaml --backfill', 'after an edit: what changed is built again, the rest goes on'],
      ['pipe run fraud.yaml --reset-state --from earliest', 'once more from the start'],
      ['sed s/5000/7000/ fraud.yaml | pipe run -', 'a pipeline from stdin, its paths from the project\'s folder'],
    ],
    flags: runFlags,
    run: async (p, io) => {
      tuneV8();
      return new Run(p, io, await parts()).run();
    },
  };
}

interface Job extends Looked {
  readonly store: StateStore;
  /** Drains this one alone. */
  readonly stop: AbortController;
}

/** Whether all that is bad is kept: in the table of the state file, or in a topic. */
const keepsLetters = (spec: PipelineSpec, o: RunOptions): boolean =>
  (o.onError === null ? [...spec.sources, ...spec.sinks].every(x => x.onError !== 'skip' && x.onError !== 'stop') : o.onError !== 'skip');

/** One `pipe run`: several pipelines in one process, each with its own state; the first that fails makes the others drain. */
class Run {
  readonly #p: Parsed;
  readonly #io: Io;
  readonly #o: RunOptions;
  readonly #modules: RunModules;
  readonly #logs = new Map<string, Log>();
  readonly #sharing = new Map<Log, SourceSharing>();
  readonly #formats: RunModules['formats'];
  readonly #printing: Printing;
  readonly #stop = new AbortController();
  readonly #messages: Messages;
  readonly #rows = new LastRows();
  readonly #servers: { close(): Promise<void> }[] = [];
  readonly #startedAt = Date.now();
  #running = false;

  constructor(p: Parsed, io: Io, modules: RunModules) {
    this.#p = p;
    this.#io = io;
    this.#o = runOptions(p, io);
    this.#modules = modules;
    this.#formats = sharingFormats(modules.formats);
    this.#messages = new Messages(io.err, this.#o);
    this.#printing = new Printing(io.out, print => this.#messages.above(print));
    // each pipeline and each of its polls listens: many are no leak
    setMaxListeners(0, this.#stop.signal);
  }

  async run(): Promise<number> {
    const compiled = await this.#modules.load(this.#p, this.#io);
    const jobs: Job[] = [];
    const forward = (): void => this.#stop.abort();
    this.#io.signal.addEventListener('abort', forward);
    if (this.#io.signal.aborted) forward();
    try {
      await this.#open(compiled, jobs);
      await this.#runAll(jobs);
      return 0;
    } catch (error) {
      // a signal before anything ran: there is nothing to drain, and what was being opened was cut short by us
      if (!this.#io.signal.aborted || this.#running) throw error;
      if (this.#o.backfill) this.#messages.info('stopped before the run began: what --backfill had not put in its place yet starts over with it');
      return 0;
    } finally {
      this.#io.signal.removeEventListener('abort', forward);
      this.#messages.end();
      this.#printing.end();
      await Promise.allSettled(this.#servers.map(x => x.close()));
      await Promise.allSettled(jobs.map(j => j.runtime.close()));
      await Promise.allSettled([...this.#logs.values()].map(l => l.close()));
    }
  }

  async #open(compiled: readonly CompiledPipeline[], jobs: Job[]): Promise<void> {
    const choices = compiled.map(c => chooseLog(this.#p, this.#io, c.spec.settings.kafka));
    const print = compiled.map((_, i) => this.#o.print ?? (choices[i] as LogChoice).brokers === null);
    const printing = compiled.reduce((n, c, i) => n + (print[i] === true ? c.spec.sinks.length : 0), 0);
    this.#printing.several = printing > 1;
    const logs: Log[] = [];
    for (const [i, c] of compiled.entries()) logs.push(await this.#log(choices[i] as LogChoice, dataDir(this.#p, this.#io), c));
    // what stops one of them is known before anything is made for another
    const specs = compiled.map(({ spec }, i) => ({ spec, log: logs[i] as Log }));
    const problems = [...compiled.flatMap((c, i) => (this.#follows(logs[i] as Log) ? c.unbounded : [])), ...await missingTopics(specs, this.#o.onError)];
    if (problems.length > 0) throw new PipeErrors(problems);
    const written = new Set(compiled.flatMap(c => [...writtenTopics(c.spec, this.#o.onError)]));
    for (const [i, c] of compiled.entries()) await this.#openOne(c, choices[i] as LogChoice, logs[i] as Log, written, print[i] as boolean, compiled.length === 1, jobs);
  }

  #follows(log: Log): boolean { return this.#o.following ?? (log.kind === 'kafka' || this.#io.out.isTTY); }

  async #openOne(c: CompiledPipeline, choice: LogChoice, log: Log, written: ReadonlySet<string>, print: boolean, alone: boolean, jobs: Job[]): Promise<void> {
    const { spec } = c;
    const data = dataDir(this.#p, this.#io);
    const following = this.#follows(log);
    const path = statePath(data, spec, log.id);
    const lost = this.#o.reset ? await held(path) : null;
    const store = this.#modules.store({ path, pipeline: spec.name, logId: log.id, reset: this.#o.reset });
    let runtime: PipelineRuntime | null = null;
    try {
      if (this.#o.from !== null && !store.fresh && !this.#o.backfill) {
        throw new PipeError('system.state.not_fresh', `pipeline "${spec.name}" goes on from its saved state, so --from does not apply`, { hint: 'add --reset-state to start again: rows are sent a second time' });
      }
      // the line that says which log it is comes before what was made there
      const made: (() => void)[] = [];
      await prepareTopics(spec, this.#o.onError, log, written, { info: line => made.push(() => this.#messages.info(`${spec.name}  ${line}`)), warn: line => made.push(() => this.#messages.warn(`${spec.name}: ${line}`)) });
      this.#messages.info(await this.#start(c, log, choice, following, store));
      if (lost !== null) this.#messages.info(`${spec.name}  --reset-state has deleted its state (${lost})`);
      for (const say of made) say();
      const workers = workersFor(c, this.#o.workers, alone, this.#io, this.#modules);
      if (workers?.backlog === null) this.#messages.info(`${spec.name}  ${workers.count} threads share the work`);
      runtime = this.#runtime(c, log, store, following, print, workers);
      await this.#orStopped(runtime.open());
      this.#messages.end();
      jobs.push({ compiled: c, runtime, store, log, following, stateFile: path, stop: new AbortController(), failure: null, cut: false });
    } catch (problem) {
      this.#messages.end();
      if (runtime === null) store.close();
      else await runtime.close();
      throw problem;
    }
  }

  /** A start that hangs on a broker ends with the first signal. */
  async #orStopped(work: Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    let stopped = (): void => undefined;
    const stop = new Promise<never>((_, reject) => {
      stopped = () => reject(new PipeError('system.run.drain_deadline', 'stopped before it began'));
      if (signal.aborted) stopped();
      else signal.addEventListener('abort', stopped);
    });
    work.catch(() => undefined);
    try {
      await Promise.race([work, stop]);
    } finally {
      signal.removeEventListener('abort', stopped);
    }
  }

  #runtime(c: CompiledPipeline, log: Log, store: StateStore, following: boolean, print: boolean, workers: Workers | null): PipelineRuntime {
    const { spec, plan } = c;
    const { engine, clock } = this.#modules;
    return new PipelineRuntime({
      spec, plan, log, store, source: o => (this.#sharing.get(log) as SourceSharing).source(o), formats: this.#formats, engine, clock, workers, notices: this.#messages, taps: print || (this.#io.err.isTTY && workers?.backlog !== null) ? this.#taps(c, print) : new Map(), committed: () => this.#committed(spec.name),
      backfilled: this.#backfilled(spec.name),
      options: {
        following, from: this.#o.from, batchRows: this.#o.batchRows, packFrom: this.#o.packFrom, jit: this.#o.jit, decoder: this.#o.decoder, onError: this.#o.onError, resume: this.#o.resume, memory: memoryLimit(spec), drain: DRAIN_MS,
        backfill: this.#o.backfill, takeOver: this.#o.reset, ownerId: randomBytes(9).toString('base64url'),
      },
    });
  }

  /** Shows how far a backfill is, from its first poll until what is on the terminal is ended. */
  #backfilled(pipeline: string): (records: number, done: number, of: number) => void {
    let reached: Reached = { count: 0, done: 0, of: 0 };
    let shown = false;
    return (count, done, of) => {
      reached = { count, done, of };
      if (shown) return;
      shown = true;
      const board = workBoard(this.#io.err, this.#o, { name: 'backfill', doing: `backfill of ${pipeline}`, about: { pipeline }, unit: 'records', reached: () => reached });
      if (board !== null) this.#messages.show(board);
    };
  }

  async #committed(pipeline: string): Promise<void> {
    this.#rows.committed(pipeline);
    await this.#printing.flush(pipeline);
  }

  /** For stdout, or for the live view. */
  #taps({ spec, plan }: CompiledPipeline, print: boolean): Map<string, Output> {
    const taps = new Map<string, Output>();
    for (const w of plan.sinks) {
      const sink = spec.sinks.find(s => s.name === w.sink);
      const encoder = sink === undefined ? undefined : this.#modules.formats.find(sink.format.type)?.encoder?.(w.schema, { timestamps: sink.format.timestamps, decimals: sink.format.decimals, key: [] });
      if (sink !== undefined && encoder !== undefined) taps.set(w.sink, print ? this.#printing.tap(spec.name, sink, w.schema, encoder) : this.#rows.tap(spec.name, sink, encoder));
    }
    return taps;
  }

  /** Pipelines with the same brokers share a log. */
  async #log(choice: LogChoice, data: string, c: CompiledPipeline): Promise<Log> {
    const key = JSON.stringify([choice.brokers, choice.brokers === null ? null : c.spec.settings.kafka.client]);
    const known = this.#logs.get(key);
    if (known !== undefined) return known;
    const log = await this.#modules.log(choice, data, c.spec, this.#messages);
    this.#logs.set(key, log);
    this.#sharing.set(log, new SourceSharing(o => log.source(o)));
    await log.open(this.#o.connectTimeout, this.#stop.signal);
    return log;
  }

  async #start(c: CompiledPipeline, log: Log, choice: LogChoice, following: boolean, store: StateStore): Promise<string> {
    const partitions = new Map<string, number>();
    for (const s of c.spec.sources) partitions.set(s.topic, (await log.topic(s.topic))?.partitions.length ?? 0);
    return startLine(c.spec, log, choice, following, store.fresh ? null : store.saved(), partitions);
  }

  async #runAll(jobs: readonly Job[]): Promise<void> {
    const board = makeBoard(this.#io, this.#messages, jobs, { ...this.#o, rows: () => this.#rows.lines(), drain: () => this.#stop.abort() });
    if (board !== null) this.#messages.show(board);
    const lookers = new Lookers(liveFolder(dataDir(this.#p, this.#io)), jobs, { pid: this.#io.pid, version: packageVersion(), startedAt: this.#startedAt });
    await this.#serve(jobs, lookers);
    lookers.start();
    this.#running = true;
    const began = this.#modules.clock.elapsed();
    const problems: unknown[] = [];
    const summaries: (() => void)[] = [];
    const left = new Set(jobs);
    const ended = afterPatience(this.#stop.signal, () => this.#messages.info(this.#stopping([...left], jobs.length)));
    await Promise.all(jobs.map(async j => {
      try {
        await j.runtime.run(AbortSignal.any([this.#stop.signal, j.stop.signal]));
        j.cut = j.following && this.#io.out.closed;
        const ms = this.#modules.clock.elapsed() - began;
        summaries.push(() => this.#summary(j, ms));
      } catch (error) {
        problems.push(error);
        j.failure = error;
        this.#stop.abort();
      } finally {
        left.delete(j);
      }
    }));
    ended();
    lookers.stop();
    // behind the last row of all of them
    this.#messages.end();
    this.#printing.end();
    for (const print of summaries) print();
    this.#raise(problems);
  }

  /** Opens those that --ui and --metrics ask for. */
  async #serve(jobs: readonly Job[], lookers: Lookers): Promise<void> {
    const { ui, metrics } = this.#o;
    if (ui === null && metrics === null) return;
    const { openDashboard, openMetrics } = await import('./run-ui.ts');
    const view: RunView = {
      compiled: jobs.map(j => j.compiled), logs: [...this.#logs.values()], reports: () => lookers.reports, say: line => this.#messages.info(line), warn: line => this.#messages.warn(line),
      controls: Object.fromEntries(jobs.map(j => [j.compiled.spec.name, { pause: () => j.runtime.pause(), resume: () => j.runtime.resume(), drain: () => j.stop.abort() }])),
    };
    if (ui !== null) this.#servers.push(await openDashboard(this.#p, this.#io, ui.port, view));
    if (metrics !== null) this.#servers.push(await openMetrics(metrics, view));
  }

  #stopping(left: readonly Job[], of: number): string {
    const draining = left.map(j => ({ name: j.compiled.spec.name, log: j.log, epoch: j.store.saved().epoch }));
    return stoppingLine(draining, of, { unread: this.#printing.unread, drainMs: DRAIN_MS, byUser: this.#io.signal.aborted });
  }

  #summary(j: Job, ms: number): void {
    const { spec } = j.compiled;
    const { counts } = j.runtime.progress();
    const { logs, json, quiet } = this.#o;
    const say = (line: string): void => { this.#io.err.write(`${line}\n`); };
    if (logs) say(logLine('info', 'summary', summaryData(spec.name, j.log, counts, ms)));
    else if (json) say(JSON.stringify(summaryData(spec.name, j.log, counts, ms)));
    else if (!quiet) say(summaryLine(spec.name, counts, ms, stateOf(j) !== 'stopped', keepsLetters(spec, this.#o) ? [askFor(spec.path, spec.file.name), ...placeFlags(this.#p)].join(' ') : null));
  }

  /** The first failure gives the exit code; the others are shown with it. */
  #raise(problems: readonly unknown[]): void {
    if (problems.length === 0) return;
    const pipe = problems.flatMap(p => problemsOf(p) ?? []);
    const other = problems.find(p => problemsOf(p) === null);
    if (other !== undefined) throw other;
    throw pipe.length === 1 ? (pipe[0] as PipeError) : new PipeErrors(pipe);
  }
}

/** What a reset deletes, or null where there is nothing. */
async function held(path: string): Promise<string | null> {
  if (!existsSync(path)) return null;
  const { heldText, isEmpty, look } = await import('./state-held.ts');
  const found = look(path);
  return isEmpty(found) ? null : heldText(path, found);
}
