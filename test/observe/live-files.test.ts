import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobReport } from '../../src/observe/job.ts';
import { readJobs, readPlan } from '../../src/observe/live-files.ts';
import { liveFolder } from '../../src/observe/live-names.ts';
import { LiveFiles } from '../../src/observe/live-writer.ts';
import { lockHolder, lockState } from '../../src/state/lock.ts';
import { openStateStore } from '../../src/state/sqlite.ts';
import { Folder } from '../config/support.ts';

const folder = new Folder();
let data: string;
beforeEach(() => { data = folder.dir; });

/** Of this process, as far as these tests look at it. */
const report = (more: Partial<JobReport> = {}): JobReport =>
  ({ v: 1, pipeline: 'p', log: { kind: 'embedded', id: 'x', label: 'embedded log' }, state_file: join(data, 'p@x.db'), pid: process.pid, state: 'running', ...more }) as JobReport;
const states = (): string[] => readJobs(data).map(r => `${r.pipeline} ${r.state}`);

describe('the lock of a state file', () => {
  it('is held by a process that has said its number, until it ends', () => {
    const path = join(data, 'p@x.db');
    expect(lockHolder(path)).toEqual({ held: false, pid: null });
    const lock = lockState(path, 'p');
    expect(lockHolder(path)).toEqual({ held: true, pid: process.pid });
    // a look takes nothing from who has it
    expect(() => lockState(path, 'p')).toThrow('is running already');
    for (const text of ['', 'words\n', '-1']) {
      writeFileSync(`${path}.lock.pid`, text);
      expect(lockHolder(path)).toEqual({ held: true, pid: null });
    }
    rmSync(`${path}.lock.pid`);
    expect(lockHolder(path)).toEqual({ held: true, pid: null });
    writeFileSync(`${path}.lock.pid`, `${process.pid}\n`);
    lock.release();
    // the number stays behind and says nothing
    expect(lockHolder(path)).toEqual({ held: false, pid: null });
  });

  it('makes no file where none is, and is free where the file is no lock', () => {
    expect(lockHolder(join(data, 'nowhere', 'p@x.db'))).toEqual({ held: false, pid: null });
    expect(readdirSync(data)).toEqual([]);
    writeFileSync(join(data, 'p@x.db.lock'), 'this is no database, and long enough to be read as one '.repeat(100));
    expect(lockHolder(join(data, 'p@x.db'))).toEqual({ held: false, pid: null });
  });
});

describe('live files', () => {
  it('are those of the process that has the lock; else it is gone without a word', () => {
    const files = new LiveFiles(liveFolder(data));
    files.report(report());
    expect(states()).toEqual(['p crashed']);
    const lock = lockState(join(data, 'p@x.db'), 'p');
    expect(states()).toEqual(['p running']);
    // another process has it by now: what the report is of, is gone
    files.report(report({ pid: process.pid + 1 }));
    expect(states()).toEqual(['p crashed']);
    // who has it has not said its number yet
    writeFileSync(join(data, 'p@x.db.lock.pid'), '');
    expect(states()).toEqual(['p running']);
    lock.release();
    for (const state of ['starting', 'running', 'paused', 'draining'] as const) {
      files.report(report({ state }));
      expect(states()).toEqual(['p crashed']);
    }
    for (const state of ['done', 'failed'] as const) {
      files.report(report({ state }));
      expect(states()).toEqual([`p ${state}`]);
    }
  });

  it('say of a process that is gone how far its state is, which went on behind the last report', () => {
    const store = openStateStore({ path: join(data, 'p@x.db'), pipeline: 'p', logId: 'x', reset: false });
    for (const n of [1, 2, 3]) store.commit({ epoch: n, delivery: 0, positions: [], watermarks: new Map(), counters: new Map(), deadLetters: [], out: [] }, () => undefined);
    const files = new LiveFiles(liveFolder(data));
    const epochs = (): unknown[] => readJobs(data).map(r => [r.state, r.epoch]);
    files.report(report({ epoch: 1 }));
    expect(epochs()).toEqual([['running', 1]]);
    store.close();
    expect(epochs()).toEqual([['crashed', 3]]);
    files.report(report({ epoch: 1, state: 'failed' }));
    expect(epochs()).toEqual([['failed', 1]]);
    // a state that cannot be read is no reason to say nothing
    files.report(report({ epoch: 1 }));
    writeFileSync(join(data, 'p@x.db'), 'no state');
    expect(epochs()).toEqual([['crashed', 1]]);
  });

  it('are read by name, one for each log; what is no report is left out', () => {
    expect(readJobs(data)).toEqual([]);
    const files = new LiveFiles(liveFolder(data));
    for (const [pipeline, id] of [['q', 'a'], ['p', 'b/c'], ['p', 'a']] as const) files.report(report({ pipeline, state: 'done', log: { kind: 'kafka', id, label: id } }));
    files.plan('p', 'a', { pipeline: 'p' } as never);
    for (const [name, text] of [['half@a.json', '{"v":1,"pipel'], ['null@a.json', 'null'], ['later@a.json', '{"v":2,"pipeline":"later"}'], ['notes.txt', 'x']] as const) writeFileSync(join(liveFolder(data), name), text);
    expect(readJobs(data).map(r => [r.pipeline, r.log.id])).toEqual([['p', 'a'], ['p', 'b/c'], ['q', 'a']]);
    expect([readPlan(data, 'p', 'a'), readPlan(data, 'q', 'a')]).toEqual([{ pipeline: 'p' }, null]);
  });

  it('are for their owner, and leave nothing half written; a folder that cannot be written stops nothing', () => {
    const files = new LiveFiles(liveFolder(data));
    files.report(report());
    expect(readdirSync(liveFolder(data))).toEqual(['p@x.json']);
    expect(statSync(join(liveFolder(data), 'p@x.json')).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(join(liveFolder(data), 'p@x.json'), 'utf8'))).toEqual(report());
    rmSync(liveFolder(data), { recursive: true });
    writeFileSync(liveFolder(data), 'a file in its place');
    files.report(report());
    new LiveFiles(liveFolder(data)).report(report());
    expect(readJobs(data)).toEqual([]);
    rmSync(liveFolder(data));
    mkdirSync(liveFolder(data));
    files.report(report());
    expect(states()).toEqual(['p crashed']);
  });
});
