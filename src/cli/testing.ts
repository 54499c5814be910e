import { dirname, resolve } from 'node:path';
import { duration, instant } from '../config/values.ts';
import { PipeError, problemsOf } from '../errors.ts';
import type * as api from '../testing/api.ts';
import { Harness } from '../testing/harness.ts';
import { recordsOf, runTest, withoutRun } from '../testing/run-test.ts';
import { loadSuite, type Suite } from '../testing/suite.ts';
import { projectRoot } from './places.ts';
import { renderProblems } from './render-error.ts';
import { failureLines } from './test-diff.ts';
import { painter } from './test-paint.ts';
import { lineOf } from './test-report.ts';

/*
 * `sqlpipe/testing`: what `pipe test` does, for a test runner in JavaScript. Its types are those of testing/api.ts, which the package
 * holds as they are.
 */

/** Width of the differences in the message of a test that fails. */
const COLUMNS = 100;

/** What a test runner shows: all problems with their places. */
class PipelineError extends Error {
  override readonly name = 'PipelineError';
  readonly code: string;

  constructor(problems: readonly PipeError[], cause?: unknown) {
    super(renderProblems(problems, { color: false }).trimEnd(), { cause });
    this.code = problems[0]?.code ?? 'bug.unexpected';
  }
}

const bad = (message: string): PipelineError => new PipelineError([new PipeError('user.usage.bad_value', message)]);

function suiteOf(file: string, env: api.TestPipelineOptions['env'] = {}): Suite {
  const path = resolve(file);
  const cwd = resolve('.');
  return loadSuite(path, { env, root: projectRoot(dirname(path)), cwd });
}

export const testPipeline: typeof api.testPipeline = (file, options = {}) => {
  const { compiled, broken, problems } = suiteOf(file, options.env);
  if (compiled === null) throw new PipelineError(broken.length > 0 ? broken : problems);
  const harness = new Harness(compiled, { partitions: options.partitions ?? 1, now: options.now === undefined ? null : timeOf(options.now) });
  return new Running(harness, compiled.spec.sources.map(s => s.name), compiled.spec.sinks.map(s => s.name));
};

export const pipelineTests: typeof api.pipelineTests = (file, options = {}) => {
  const { compiled, tests, problems, broken } = suiteOf(file, options.env);
  if (broken.length > 0) throw new PipelineError(broken);
  return tests.map(test => ({
    name: test.name,
    run: async () => {
      const { failures } = compiled === null ? withoutRun(test, problems) : await runTest(compiled, test);
      if (failures.length === 0) return;
      throw new Error([`${test.nameSpan.source.name}:${lineOf(test.nameSpan)}: test "${test.name}" failed`, ...failureLines(failures, { paint: painter(false), color: false, columns: COLUMNS })].join('\n'));
    },
  }));
};

function timeOf(time: api.Time): number {
  const ms = typeof time === 'number' ? time : typeof time === 'string' ? instant(time) : time.getTime();
  if (ms === undefined || !Number.isFinite(ms)) throw bad(`${String(time)} is no time such as 2024-01-01T12:00:00Z`);
  return ms;
}

class Running implements api.PipelineTest {
  readonly #h: Harness;
  readonly #sources: readonly string[];
  readonly #sinks: readonly string[];

  constructor(h: Harness, sources: readonly string[], sinks: readonly string[]) {
    this.#h = h;
    this.#sources = sources;
    this.#sinks = sinks;
  }

  send(source: string, records: readonly (object | string | null)[], { key, partition, headers = {}, time }: api.SendOptions = {}): Promise<void> {
    return this.#step(async () => {
      this.#check('source', source, this.#sources);
      if (partition !== undefined && !(Number.isInteger(partition) && partition >= 0 && partition < this.#h.partitions)) throw bad(`there is no partition ${partition}: testPipeline(file, {partitions}) has ${this.#h.partitions}`);
      const values = records.map(r => (r === null || typeof r === 'string' ? r : JSON.stringify(r)));
      const sent = recordsOf({ values, key: key ?? null, partition: partition ?? null, headers, time: time === undefined ? null : timeOf(time) });
      await this.#h.follow();
      await this.#h.send(source, sent);
    });
  }

  advance(time: number | string): Promise<void> {
    const ms = typeof time === 'number' ? time : duration(time);
    if (ms === undefined || !(ms >= 0)) return Promise.reject(bad(`${String(time)} is no duration such as 500ms, 70s, 5m`));
    return this.#step(() => this.#h.advance(ms));
  }

  idle(source: string, partition?: number): Promise<void> {
    return this.#step(async () => {
      this.#check('source', source, this.#sources);
      await this.#h.idle(source, partition ?? null);
    });
  }

  restart(): Promise<void> { return this.#step(() => this.#h.restart()); }
  finish(): Promise<void> { return this.#step(() => this.#h.finish()); }
  close(): Promise<void> { return this.#h.close(); }

  rows(sink: string): Record<string, unknown>[] { return this.texts(sink).map(t => JSON.parse(t) as Record<string, unknown>); }
  texts(sink: string): string[] { return this.records(sink).flatMap(r => r.value ?? []); }

  records(sink: string): api.SinkRecord[] {
    this.#check('sink', sink, this.#sinks);
    return this.#h.written(sink).map(({ partition, key, value, headers }) => ({
      partition, key: key?.toString() ?? null, value: value?.toString() ?? null, headers: Object.fromEntries(headers.map(h => [h.key, h.value?.toString() ?? null])),
    }));
  }

  bad(): api.BadRecord[] { return this.#h.bad.map(({ code, message, source }) => ({ code, message, source })); }

  #check(kind: 'source' | 'sink', name: string, names: readonly string[]): void {
    if (!names.includes(name)) throw bad(`there is no ${kind} "${name}"; ${kind}s: ${names.join(', ')}`);
  }

  async #step(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const problems = problemsOf(error);
      throw problems === null ? error : new PipelineError(problems, error);
    }
  }
}
