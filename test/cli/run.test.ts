import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseCommandLine } from '../../src/cli/args.ts';
import { makeRun } from '../../src/cli/run.ts';
import { stoppingLine } from '../../src/cli/stopping.ts';
import type { CompiledPipeline } from '../../src/config/compile.ts';
import { Scaling } from '../../src/engine/parallel/scaling.ts';
import { systemClock } from '../../src/engine/clock.ts';
import { PipeError, PipeErrors } from '../../src/errors.ts';
import { formats } from '../../src/formats/index.ts';
import { openStateStore } from '../../src/state/sqlite.ts';
import { counted, countPipeline, event, memoryParts, MemoryLog } from '../engine/stand-ins.ts';
import { fakeIo, type FakeIo } from './fake-io.ts';

const T = 1_704_110_400_000;
let dir: string;
let log: MemoryLog;
let chosen: (readonly string[] | null)[];
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'pipe-run-')); log = new MemoryLog(); chosen = []; });
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Result {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  readonly problem: PipeError | null;
  readonly problems: readonly PipeError[];
}

const topics = async (): Promise<string[]> => (await log.topics()).map(t => t.name);

async function run(pipelines: readonly CompiledPipeline[], argv: readonly string[] = [], io: FakeIo = fakeIo({ cwd: dir })): Promise<Result> {
  const command = makeRun(() => Promise.resolve({
    load: () => Promise.resolve(pipelines), store: openStateStore, formats, engine: memoryParts, clock: systemClock, scaling: began => new Scaling(began), worker: new URL('file:///none'),
    log: choice => { chosen.push(choice.brokers); return Promise.resolve(log); },
  }));
  try {
    const exit = await command.run(parseCommandLine(command, ['counts.yaml', ...argv]), io);
    return { exit, out: io.out.text, err: io.err.text, problem: null, problems: [] };
  } catch (error) {
    const problems = error instanceof PipeErrors ? error.problems : [error];
    const [problem] = problems;
    if (!(problem instanceof PipeError)) throw error;
    return { exit: problem.exit, out: io.out.text, err: io.err.text, problem, problems: problems as PipeError[] };
  }
}

async function topic(name: string, records: readonly string[], partitions = 1): Promise<void> {
  await log.createTopic({ name, partitions, retention: null, config: {} });
  records.forEach((r, i) => log.send(name, i % partitions, r, T));
}

const three = [event(1, T), event(2, T + 1), event(1, T + 2)];

describe('pipe run', () => {
  it('reads to the end where stdout is no terminal: rows on stdout as sent, the rest on stderr', async () => {
    await topic('events', three, 2);
    const r = await run([countPipeline()]);
    expect(r.exit).toBe(0);
    expect(r.out.trim().split('\n').sort()).toEqual([counted(1, 2, T), counted(2, 1, T)]);
    const lines = r.err.trim().split('\n');
    expect(lines[1]).toBe('counts  topic counts made (2 partitions)');
    expect(lines[0]).toBe('counts  embedded log (no broker set) · until-end · events (2 partitions) → counts');
    expect(lines[2]).toMatch(/^counts {2}✓ 3 in · 2 out · 0 late · 0 bad records · 0\.\d s$/);
    expect(readdirSync(join(dir, '.pipe', 'state')).filter(f => f.endsWith('.db'))).toEqual(['counts@embedded.db']);
    expect(log.closed).toBe(1);
  });

  it('says that it goes on from its state', async () => {
    await topic('events', three);
    await run([countPipeline()]);
    const r = await run([countPipeline()]);
    expect(r.err).toMatch(/ · goes on where it stopped \(epoch \d+\) · /);
    expect(r.out).toBe('');
    const reset = await run([countPipeline()], ['--reset-state']);
    expect(reset.err).not.toContain('goes on');
    expect(reset.out.trim().split('\n')).toHaveLength(2);
  });

  it('has a summary for machines', async () => {
    await topic('events', [...three, '{'], 1);
    const r = await run([countPipeline()], ['--json']);
    const { ms, ...rest } = JSON.parse(r.err) as Record<string, unknown>;
    expect(rest).toEqual({ v: 1, pipeline: 'counts', log: 'embedded', records_in: 4, rows_out: 2, filtered: 0, late: 0, future: 0, undecodable: 1, failed: 0 });
    expect(Object.keys(JSON.parse(r.err) as object)).toEqual(['v', 'pipeline', 'log', 'records_in', 'rows_out', 'filtered', 'late', 'future', 'undecodable', 'failed', 'ms']);
    expect(ms).toBeTypeOf('number');
  });

  it('prints nothing but rows with --quiet, and no rows with --no-print', async () => {
    await topic('events', three);
    const r = await run([countPipeline()], ['--quiet']);
    expect(r.err).toBe('');
    expect(r.out).not.toBe('');
    expect((await run([countPipeline()], ['--no-print', '--reset-state'])).out).toBe('');
  });

  it('names the topic of each row when several sinks print', async () => {
    await topic('events', [event(1, T)]);
    const r = await run([countPipeline(), countPipeline({ name: 'again', sink: 'others' })]);
    expect(r.out.trim().split('\n').sort()).toEqual([`{"topic":"counts","value":${counted(1, 1, T)}}`, `{"topic":"others","value":${counted(1, 1, T)}}`]);
    expect(log.values('others')).toEqual([counted(1, 1, T)]);
    expect(log.opened).toEqual([30_000]);
  });

  it('prints the rows of a pipeline when that one has committed, whatever the others do', async () => {
    await topic('events', [...three, event(1, T + 10_000)]);
    const stop = new AbortController();
    const io = fakeIo({ cwd: dir, signal: stop.signal });
    const running = run([countPipeline(), countPipeline({ name: 'slow', sink: 'others', checkpoint: 3_600_000 })], ['--follow'], io);
    await vi.waitFor(() => expect(log.values('counts')).toHaveLength(2));
    log.send('events', 0, event(1, T + 20_000), T + 20_000);
    await vi.waitFor(() => expect(io.out.text).toContain(counted(1, 1, T + 10_000)));
    expect(io.out.text).not.toContain('others');
    stop.abort();
    await running;
    expect(io.out.text.match(/"others"/g)).toHaveLength(3);
  });

  it('draws a table on a terminal', async () => {
    await topic('events', [event(1, T)]);
    const io = fakeIo({ cwd: dir });
    io.out.isTTY = true;
    expect((await run([countPipeline()], ['--until-end'], io)).out).toBe(
      `┌────────┬────────┬──────────────┬────────────┬──────────────┐
│ id     │ n      │ window_start │ window_end │ window_time  │
│ BIGINT │ BIGINT │ 2024-01-01   │ 2024-01-01 │ 2024-01-01   │
├────────┼────────┼──────────────┼────────────┼──────────────┤
│      1 │      1 │ 12:00:00     │ 12:00:10   │ 12:00:09.999 │
└────────┴────────┴──────────────┴────────────┴──────────────┘
`);
  });

  it('follows until the signal, drains and ends well', async () => {
    await topic('events', three);
    const stop = new AbortController();
    const running = run([countPipeline()], ['--follow'], fakeIo({ cwd: dir, signal: stop.signal }));
    await vi.waitFor(() => expect(log.sources.length).toBe(1));
    log.send('events', 0, event(3, T + 10_000), T + 10_000);
    await vi.waitFor(() => expect(log.values('counts')).toHaveLength(2));
    stop.abort();
    const r = await running;
    expect(r.exit).toBe(0);
    expect(r.err).toContain(' · following · ');
    expect(r.err).toContain('✓ 4 in · 2 out');
  });

  it('says what it waits for when stopping takes more than a moment', async () => {
    log = new MemoryLog('kafka');
    await topic('events', [...three, event(3, T + 20_000)]);
    let open = (): void => undefined;
    log.gate = new Promise<void>(done => { open = done; });
    const stop = new AbortController();
    const io = fakeIo({ cwd: dir, signal: stop.signal });
    const running = run([countPipeline({ create: true })], ['--follow'], io);
    await vi.waitFor(() => expect(log.sources.length).toBe(1));
    await new Promise(done => { setTimeout(done, 300); });
    stop.abort();
    await vi.waitFor(() => expect(io.err.text).toContain('stopping: waiting for Kafka at localhost:9092 to take epoch 1 (at most 20 s); Ctrl-C again leaves at once\n'), 3000);
    open();
    expect((await running).exit).toBe(0);
    expect(io.err.text.match(/stopping/g)).toHaveLength(1);
  });

  it('says of several jobs which ones are waited for, and what else is waited for', () => {
    const log = { kind: 'embedded', label: 'embedded log' } as const;
    const [a, b] = [{ name: 'a', log, epoch: 3 }, { name: 'b', log: { kind: 'kafka', label: 'Kafka at k:9092' } as const, epoch: 12 }];
    const o = { unread: false, drainMs: 20_000, byUser: false };
    expect(stoppingLine([a], 1, { ...o, unread: true })).toBe('stopping: waiting for stdout to be read (at most 20 s)');
    expect(stoppingLine([a], 2, { ...o, byUser: true })).toBe('stopping a: waiting for the last epoch to be written (at most 20 s); Ctrl-C again leaves at once');
    expect(stoppingLine([b, { ...b, name: 'c' }], 3, o)).toBe('stopping b, c: waiting for Kafka at k:9092 to take epoch 12 (at most 20 s)');
  });

  it('says why a run to the end gave no row where all of it was late', async () => {
    await topic('events', [event(1, T), event(2, T + 60_000)]);
    expect((await run([countPipeline()])).err).not.toContain('hint');
    log.send('events', 0, event(1, T), T);
    const r = await run([countPipeline()]);
    expect(r.err).toMatch(/✓ 1 in · 0 out · 1 late · [^]*\n {2}hint: all that came was late: its windows have closed, and a closed window takes no more rows\./);
    expect(r.exit).toBe(0);
    log.send('events', 0, event(1, T), T);
    expect((await run([countPipeline()], ['--json'])).err.trim().split('\n')).toHaveLength(1);
  });

  it('drains the others when one fails, and takes its exit code', async () => {
    await topic('events', three);
    await topic('bad', ['{']);
    const running = run([countPipeline(), countPipeline({ name: 'broken', topic: 'bad', sink: 'x' })], ['--follow', '--on-error', 'stop']);
    const r = await running;
    expect(r.exit).toBe(13);
    expect(r.problem?.code).toBe('user.data.decode');
    expect(r.err).toContain('counts  ✓ ');
  });
});

describe('state', () => {
  it('refuses --from unless it is fresh', async () => {
    await topic('events', three);
    expect((await run([countPipeline()], ['--from', 'latest'])).out).toBe('');
    const r = await run([countPipeline()], ['--from', 'earliest']);
    expect(r).toMatchObject({ exit: 2, problem: { code: 'system.state.not_fresh', hint: 'add --reset-state to start again: rows are sent a second time' } });
    expect((await run([countPipeline()], ['--from', 'earliest', '--reset-state'])).out).not.toBe('');
  });

  it('belongs to one runner', async () => {
    await topic('events', three);
    const stop = new AbortController();
    const first = run([countPipeline()], ['--follow'], fakeIo({ cwd: dir, signal: stop.signal }));
    await vi.waitFor(() => expect(log.sources.length).toBe(1));
    const second = await run([countPipeline()]);
    expect(second).toMatchObject({ exit: 21, problem: { code: 'system.state.locked' } });
    stop.abort();
    expect((await first).exit).toBe(0);
    expect((await run([countPipeline()])).exit).toBe(0);
  });

  it('lies where --data-dir, PIPE_DATA_DIR or the project say', async () => {
    await topic('events', three);
    await run([countPipeline()], ['--data-dir', 'here'], fakeIo({ cwd: dir, env: { PIPE_DATA_DIR: join(dir, 'there') } }));
    await run([countPipeline()], [], fakeIo({ cwd: dir, env: { PIPE_DATA_DIR: join(dir, 'there') } }));
    expect(readdirSync(dir).sort()).toEqual(['here', 'there']);
  });
});

describe('the log', () => {
  it('is chosen by --brokers, PIPE_BROKERS, then the file', async () => {
    await topic('events', three);
    const withBrokers = countPipeline();
    const file = { ...withBrokers, spec: { ...withBrokers.spec, settings: { ...withBrokers.spec.settings, kafka: { ...withBrokers.spec.settings.kafka, brokers: ['file:9092'] } } } };
    const env = { PIPE_BROKERS: 'env:9092,other' };
    for (const [argv, e, says] of [[['--brokers', 'flag:1'], env, '--brokers'], [[], env, 'PIPE_BROKERS'], [[], {}, 'settings.kafka.brokers'], [['--brokers', 'none'], env, '--brokers none']] as const) {
      const r = await run([file], [...argv, '--until-end'], fakeIo({ cwd: dir, env: e }));
      expect(r.err).toContain(`(${says}) · until-end`);
    }
    expect(chosen).toEqual([['flag:1'], ['env:9092', 'other:9092'], ['file:9092'], null]);
    expect(await run([file], ['--brokers', 'a b'])).toMatchObject({ exit: 2, problem: { message: '--brokers takes host:port,host:port or none, not "a b"' } });
  });

  it('is read to the end or followed, never both', async () => {
    expect(await run([countPipeline()], ['--follow', '--until-end'])).toMatchObject({ exit: 2, problem: { message: '--follow and --until-end exclude each other' } });
  });

  it('on Kafka makes only what the file says, and shows close names', async () => {
    log = new MemoryLog('kafka');
    await topic('event', three, 3);
    const r = await run([countPipeline()], ['--brokers', 'localhost:9092']);
    expect(r).toMatchObject({
      exit: 11, out: '',
      problem: {
        code: 'system.source.topic_missing', message: 'topic "events" does not exist on Kafka at localhost:9092', label: 'did you mean "event" (3 partitions, ≤ 3 records)?',
        hint: 'create it: pipe topics create events --partitions 3, or say create: {partitions: 3} in the file',
      },
    });
    expect((await topics()).sort()).toEqual(['event']);
    await topic('events', three);
    expect((await run([countPipeline()], ['--until-end'])).problem?.code).toBe('system.sink.topic_missing');
    const created = await run([countPipeline({ create: true })], ['--until-end', '--brokers', 'localhost:9092']);
    expect(created.exit).toBe(0);
    expect(created.out).toBe('');
    expect(log.values('counts')).toHaveLength(2);
    expect((await log.topic('counts'))?.partitions).toHaveLength(2);
  });

  it('on Kafka names all missing topics of all pipelines, once each, before anything is made', async () => {
    log = new MemoryLog('kafka');
    const r = await run([countPipeline(), countPipeline({ name: 'again', sink: 'others' }), countPipeline({ name: 'makes', topic: 'made', sink: 'too', create: true })], ['--reset-state']);
    expect(r.exit).toBe(11);
    expect(r.problems.map(p => [p.code.replace('.topic_missing', ''), p.message.split('"')[1], p.hint?.split(',')[0]])).toEqual([
      ['system.source', 'events', 'create it: pipe topics create events --partitions 3'], ['system.sink', 'counts', 'create it: pipe topics create counts --partitions 3'],
      ['system.sink', 'others', 'create it: pipe topics create others --partitions 3'],
    ]);
    expect(await topics()).toEqual([]);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('warns of a source topic that is made empty, with the name that may be meant', async () => {
    await topic('event', three, 3);
    const r = await run([countPipeline()], ['--quiet']);
    expect(r).toMatchObject({ exit: 0, err: 'warning: counts: topic events made (3 partitions) for a source, and empty: did you mean "event" (3 partitions, 3 records)?\n' });
    expect((await run([countPipeline({ name: 'other', topic: 'zzz', sink: 'x' })], ['--quiet'])).err).toContain(' and empty: records come with pipe topics send zzz\n');
    // what another one of this run writes may well be empty
    expect((await run([countPipeline({ name: 'second', topic: 'between', sink: 'y' }), countPipeline({ name: 'first', topic: 'event', sink: 'between' })], ['--quiet'])).err).toBe('');
  });

  it('is filled with the sample where the topic is absent', async () => {
    const c = countPipeline();
    const sampled = { ...c, spec: { ...c.spec, sources: c.spec.sources.map(s => ({ ...s, sample: '/p/data/events.jsonl' })) } };
    const loads: unknown[] = [];
    log.loadSample = async (...args) => { loads.push(args); await topic(args[0], three, args[3]); return 3; };
    const r = await run([sampled]);
    expect(loads).toEqual([['events', '/p/data/events.jsonl', null, 3]]);
    expect(r.err.split('\n')[1]).toBe('counts  topic events made with 3 records from data/events.jsonl');
    await run([sampled]);
    expect(loads).toHaveLength(1);
  });
});

describe('topics that are made', () => {
  it('say at its place that the sample is not there', async () => {
    const c = countPipeline();
    const [source] = c.spec.sources as [(typeof c.spec.sources)[number]];
    const sampled = { ...c, spec: { ...c.spec, sources: [{ ...source, sample: '/p/data/x.jsonl', sampleSpan: source.nameSpan }] } };
    log.loadSample = async () => { throw new PipeError('user.config.path', 'gone', { cause: Object.assign(new Error(), { code: 'ENOENT' }) }); };
    expect(await run([sampled])).toMatchObject({
      exit: 3, problem: { code: 'user.config.path', message: 'topic "events" does not exist, and the sample that would fill it is not there', span: source.nameSpan, hint: 'the path is relative to this file; without a sample: pipe topics create events --partitions 3' },
    });
  });

  it('warn of settings that the embedded log does not know', async () => {
    const c = countPipeline({ create: true });
    const config = { 'cleanup.policy': 'compact', 'retention.ms': '5', x: '1' };
    const set = { ...c, spec: { ...c.spec, sinks: c.spec.sinks.map(s => ({ ...s, create: { partitions: 2, retention: null, config } })) } };
    await topic('events', three);
    expect((await run([set])).err).toContain('warning: counts: topic counts is made without cleanup.policy, x: of topic settings the embedded log knows retention.ms only\n');
    expect((await run([set])).err).not.toContain('warning');
  });
});

describe('an aggregate without a window', () => {
  it('is an error when following, and final at the end', async () => {
    await topic('events', three);
    expect(await run([countPipeline({ window: false })], ['--follow'])).toMatchObject({ exit: 3, problem: { code: 'user.sql.unbounded_aggregate' } });
    const r = await run([countPipeline({ window: false })], ['--until-end']);
    expect(r.out.trim().split('\n').sort()).toEqual(['{"id":1,"n":2}', '{"id":2,"n":1}']);
  });
});

describe('flags', () => {
  it('are checked before anything is opened', async () => {
    for (const [argv, message] of [
      [['--from', 'yesterday'], '--from takes earliest, latest or an ISO time such as 2024-01-01T12:00:00Z, not "yesterday"'],
      [['--from', '2024-02-30'], '--from takes earliest, latest or an ISO time such as 2024-01-01T12:00:00Z, not "2024-02-30"'],
      [['--from', '2024-13-01T00:00'], '--from takes earliest, latest or an ISO time such as 2024-01-01T12:00:00Z, not "2024-13-01T00:00"'],
      [['--on-error', 'stopp'], '--on-error is one of dead_letters, skip, stop, not "stopp"'],
      [['--jit', 'maybe'], '--jit is one of on, off, not "maybe"'],
      [['--decoder', 'slow'], '--decoder is one of fast, plain, not "slow"'],
      [['--connect-timeout', '30'], '--connect-timeout takes a duration such as 30s, 500ms or 2m, not "30"'],
    ] as const) expect(await run([countPipeline()], argv)).toMatchObject({ exit: 2, problem: { message } });
    expect(chosen).toEqual([]);
  });
});
