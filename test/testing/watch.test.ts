import { renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { fakeIo, type FakeIo } from '../cli/fake-io.ts';
import { PIPELINE, row, TestProject } from './project.ts';

let p: TestProject;
let stop: AbortController;
beforeEach(() => { p = new TestProject(); stop = new AbortController(); });
afterEach(() => { stop.abort(); p.remove(); });

/** Waits until the command has printed this often what fits. */
async function seen(io: FakeIo, what: RegExp, times: number, stream: 'out' | 'err' = 'out'): Promise<void> {
  const began = Date.now();
  while ((io[stream].text.match(what) ?? []).length < times) {
    if (Date.now() - began > 20_000) throw new Error(`${String(what)} did not come ${times} times:\n${io.out.text}\n${io.err.text}`);
    await sleep(10);
  }
}

const tests = (total: string): string => `${PIPELINE}tests:
  - name: sums
    input: {transactions: [${row(1, 10, 0)}]}
    expect: {sums: [{total: ${total}}]}
`;

describe('pipe test --watch', () => {
  it('runs again what a change matters to, until Ctrl-C', async () => {
    p.write('p.yaml', tests('10.00'));
    p.write('q.yaml', tests('10.00').replace('name: p', 'name: q').replace('name: sums', 'name: other'));
    p.write('p.test.yaml', 'pipeline: p.yaml\ntests:\n  - {name: beside, input: {transactions: []}, expect: {sums: []}}\n');
    const io = fakeIo({ cwd: p.dir, signal: stop.signal });
    const exit = dispatch(['test', '--watch'], io, commands, () => '0');
    await seen(io, /^3 tests: 3 passed/gm, 1);
    await seen(io, /^watching 3 files; Ctrl-C ends$/gm, 1, 'err');

    // the pipeline of two files
    p.write('p.yaml', tests('11.00'));
    await seen(io, /^2 tests: 1 failed, 1 passed/gm, 1);

    // as editors do it
    writeFileSync(p.path('pipelines/p.yaml.new'), tests('10.00'));
    renameSync(p.path('pipelines/p.yaml.new'), p.path('pipelines/p.yaml'));
    await seen(io, /^2 tests: 2 passed/gm, 1);

    p.write('p.test.yaml', 'pipeline: p.yaml\ntests:\n  - {name: beside, input: {transactions: []}, expect: {sums: [{total: 1}]}}\n');
    await seen(io, /^1 test: 1 failed/gm, 1);

    p.write('new.test.yaml', 'pipeline: q.yaml\ntests:\n  - {name: new, input: {transactions: []}, expect: {sums: []}}\n');
    await seen(io, /^  ✓ new/gm, 1);
    expect(io.out.text.match(/other/g)).toHaveLength(1);

    p.write('q.yaml', 'name: [');
    await seen(io, /^pipelines\/q\.yaml:1:8 error\[user\.config\.yaml\]/gm, 1, 'err');
    p.write('q.yaml', tests('10.00').replace('name: p', 'name: q').replace('name: sums', 'name: other'));
    await seen(io, /other/g, 2);
    // once, though it is the pipeline of two files
    expect(io.err.text.match(/is not closed/g)).toHaveLength(1);

    stop.abort();
    expect(await exit).toBe(0);
  });

  it('ends where it cannot begin', async () => {
    p.write('p.yaml', tests('10.00'));
    expect((await p.call(['test', '--watch', '-t', 'nothing like it'])).exit).toBe(2);
    expect((await p.call(['test', '--watch', '--update'])).exit).toBe(2);
  });
});
