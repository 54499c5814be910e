import { chmodSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkText, ok, problem, worstExit, type Check } from '../../src/cli/doctor-check.ts';
import { checkVersions } from '../../src/cli/doctor-machine.ts';
import type { Code } from '../../src/errors.ts';
import { lockState } from '../../src/state/lock.ts';
import { PipeProject, type Called } from './pipe.ts';

let p: PipeProject;
beforeEach(() => { p = new PipeProject(); });
afterEach(() => p.remove());

const PIPELINE = 'name: a\nsources:\n  in:\n    schema: a STRING\nsinks:\n  out:\n    sql: SELECT a FROM "in"\n';
const checksOf = (r: Called): Check[] => r.json[0]?.['checks'] as Check[];
const one = (r: Called, check: string): Check | undefined => checksOf(r).find(c => c.check === check);
const doctor = (...args: string[]): Promise<Called> => p.call(['doctor', '--json', ...args]);

/** Every file below the project, with its bytes, without the empty ones that SQLite makes for whoever reads. */
const snapshot = (): readonly (readonly [string, string])[] => readdirSync(p.dir, { recursive: true, encoding: 'utf8' }).filter(f => !/-(shm|wal)$/.test(f)).sort().map(f => [f, statSync(p.path(f)).isFile() ? readFileSync(p.path(f), 'latin1') : ''] as const);

describe('pipe doctor', () => {
  it('finds nothing wrong with a new project, and leaves it as it was', async () => {
    p.write('a.yaml', PIPELINE);
    const before = snapshot();
    const r = await doctor();
    expect(r.exit).toBe(0);
    expect(r.json).toEqual([{ v: 1, ok: true, exit: 0, checks: expect.any(Array) as unknown }]);
    expect(checksOf(r).filter(c => c.level === 'problem')).toEqual([]);
    expect(checksOf(r).map(c => c.check)).toEqual(['pipe', 'node', 'pipeline pipelines/a.yaml', 'data folder', 'file system', 'disk', 'log']);
    expect(one(r, 'data folder')?.message).toBe(`${p.path('.pipe')} is not there yet; the first run makes it`);
    expect(one(r, 'log')?.message).toBe('embedded log (no broker set); no broker is asked');
    expect(snapshot()).toEqual(before);
  });

  it('looks at topics and state, and leaves them as they were', async () => {
    p.write('a.yaml', PIPELINE);
    await p.send('in', ['{"a":"x"}']);
    await p.ok(['run', 'a', '--until-end', '--no-print']);
    const before = snapshot();
    const r = await doctor();
    expect(r.exit).toBe(0);
    expect(one(r, 'rights')?.level).toBe('ok');
    expect(one(r, 'embedded log')?.message).toMatch(/^2 topics, \d+ KB, whole$/);
    expect(one(r, 'state a@embedded')?.message).toMatch(/^epoch 1, \d+ KB, whole; does not run now$/);
    expect(snapshot()).toEqual(before);
  });

  it('says who runs a pipeline', async () => {
    p.write('a.yaml', PIPELINE);
    await p.send('in', ['{"a":"x"}']);
    await p.ok(['run', 'a', '--until-end', '--no-print']);
    const lock = lockState(p.path('.pipe/state/a@embedded.db'), 'a');
    try {
      const r = await doctor();
      expect(one(r, 'state a@embedded')).toMatchObject({ level: 'ok', message: expect.stringContaining(`process ${process.pid} runs it`) as string });
    } finally {
      lock.release();
    }
    expect(one(await doctor(), 'state a@embedded')?.message).toContain('does not run now');
  });

  it('a runner that starts while it looks is not turned away', async () => {
    p.write('a.yaml', PIPELINE);
    await p.send('in', ['{"a":"x"}']);
    await p.ok(['run', 'a', '--until-end', '--no-print']);
    await doctor();
    // what it has opened it has closed: nothing is held
    lockState(p.path('.pipe/state/a@embedded.db'), 'a').release();
  });

  it('finds damage, with the exit code of a run', async () => {
    p.write('a.yaml', PIPELINE);
    await p.send('in', ['{"a":"x"}']);
    await p.ok(['run', 'a', '--until-end', '--no-print']);
    const state = p.path('.pipe/state/a@embedded.db');
    truncateSync(state, statSync(state).size - 100);
    const r = await doctor();
    expect(r.exit).toBe(31);
    expect(one(r, 'state a@embedded')).toMatchObject({ level: 'problem', code: 'system.state.corrupt', hint: expect.stringContaining('pipe state restore') as string });
    writeFileSync(p.path('.pipe/topics.db'), '');
    expect(one(await doctor(), 'embedded log')).toMatchObject({ level: 'problem', code: 'system.state.corrupt' });
  });

  it('warns of what others can read', async () => {
    p.write('a.yaml', PIPELINE);
    await p.send('in', ['{"a":"x"}']);
    chmodSync(p.path('.pipe'), 0o755);
    const r = await doctor();
    expect(r.exit).toBe(0);
    expect(one(r, 'rights')).toMatchObject({ level: 'warning', message: `other users may have a look at ${p.path('.pipe')}`, hint: `chmod -R go= ${p.path('.pipe')}` });
  });

  it('finds a data folder that is none', async () => {
    writeFileSync(p.path('file'), '');
    const r = await doctor('--data-dir', p.path('file'));
    expect([r.exit, one(r, 'data folder')?.code]).toEqual([30, 'system.resource.disk']);
  });

  it('finds mistakes in pipelines and says where they are shown', async () => {
    p.write('a.yaml', PIPELINE.replace('SELECT a', 'SELECT b, c'));
    const r = await doctor();
    expect(r.exit).toBe(3);
    expect(one(r, 'pipeline pipelines/a.yaml')).toMatchObject({ level: 'problem', code: 'user.sql.unknown_column', message: expect.stringMatching(/^line 7: column "b" does not exist/) as string, hint: 'pipe validate pipelines/a.yaml shows all 2 problems' });
    expect(one(await doctor('nothing'), 'pipelines')).toMatchObject({ level: 'problem', code: 'user.config.file_missing' });
  });

  it('says that no broker answers, within its own time', async () => {
    p.write('a.yaml', PIPELINE);
    const r = await doctor('--brokers', '127.0.0.1:1', '--connect-timeout', '200ms');
    expect([r.exit, one(r, 'broker')?.code]).toEqual([10, 'system.source.unreachable']);
  });

  it('prints lines of 80 columns without escapes, hints below, and only trouble with --quiet', async () => {
    p.write('a.yaml', PIPELINE);
    const r = await p.call(['doctor', '--brokers', '127.0.0.1:1', '--connect-timeout', '200ms']);
    expect(r.out).not.toContain('\u001b');
    expect(r.out.split('\n').filter(l => l.length > 80 && l.includes(' ', 10))).toEqual([]);
    expect(r.out).toMatch(/^ok {7}pipe: \S+, on \w+ \w+\nok {7}node: /);
    expect(r.out).toMatch(/\nPROBLEM {2}broker: no Kafka broker answers [^]*\n {9}hint: start one/);
    expect(r.err).toMatch(/^\d+ checks: 1 problem, 0 warnings; exit code 10\n$/);
    const quiet = await p.call(['doctor', '--quiet', '--brokers', '127.0.0.1:1', '--connect-timeout', '200ms']);
    expect(quiet.out).toMatch(/^PROBLEM {2}broker: /);
    expect(quiet.err).toBe('');
  });
});

it('the exit code is that of the worst problem', () => {
  const of = (...codes: Code[]): number => worstExit(codes.map(c => problem('x', c, 'y', 'z')));
  expect(worstExit([ok('x', 'y')])).toBe(0);
  expect(of('system.source.unreachable', 'user.sql.syntax')).toBe(3);
  expect(of('user.sql.syntax', 'system.resource.disk', 'system.source.topic_missing')).toBe(30);
  expect(of('system.resource.disk', 'system.state.corrupt')).toBe(31);
  expect(of('system.source.unreachable', 'system.source.topic_missing')).toBe(11);
});

it('a Node that is too old is a problem', () => {
  for (const [version, level] of [['20.18.3', 'problem'], ['20.19.0', 'ok'], ['18.20.0', 'problem'], ['24.1.0', 'ok'], ['21.0.0', 'ok']] as const) expect(checkVersions(version)[1]?.level, version).toBe(level);
});

it('data in a check does nothing to a terminal', () => {
  expect(checkText(problem('topic \u001b[31mx', 'system.source.auth', 'a\u0007b', 'c'), 80)).toBe('PROBLEM  topic x: a\ufffdb\n         hint: c\n');
});

it('a folder that cannot be written is a problem', async () => {
  // root may write everywhere but in /proc
  const r = await doctor('--data-dir', '/proc/1/pipe');
  expect([r.exit, one(r, 'data folder')?.code]).toEqual([30, 'system.resource.disk']);
});
