import { join, resolve } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { pipelineTests, testPipeline } from '../../src/cli/testing.ts';
import type { PipelineTest, TestPipelineOptions } from '../../src/testing/api.ts';
import { PIPELINE, row, TestProject } from './project.ts';

const shipped = (name: string): string => join(resolve(import.meta.dirname, '../../pipelines'), name);
const project = new TestProject();
afterAll(() => project.remove());

const open: PipelineTest[] = [];
afterEach(async () => { for (const t of open.splice(0)) await t.close(); });

function start(file: string, options?: TestPipelineOptions): PipelineTest {
  const t = testPipeline(file, options);
  open.push(t);
  return t;
}

const move = (account: number, amount: number, second: number): object => ({ account, amount, timestamp: String(1704110400 + second), type: 'deposit' });

describe('sqlpipe/testing', () => {
  it('runs a pipeline step by step', async () => {
    const run = start(shipped('fraud.yaml'));
    await run.send('transactions', [move(9999, 2500, 0), move(9999, 2500, 10)]);
    await run.restart();
    await run.send('transactions', [move(9999, 2500, 59)]);
    expect(run.rows('fraud-alerts')).toEqual([]);
    await run.advance('70s');
    const alert = { account: 9999, total_activity: 7500, threshold: 5000, alert_type: 'HIGH_ACTIVITY', message: 'Account 9999 has $7500.00 activity in 1 minute (threshold: $5000.0)' };
    expect(run.rows('fraud-alerts')).toEqual([alert]);
    expect(run.texts('fraud-alerts')[0]).toContain('"total_activity":7500.00,"threshold":5000.0,');
    expect(run.records('fraud-alerts')).toMatchObject([{ partition: 0, key: '9999', headers: {} }]);

    await run.send('transactions', ['{"account":"ACC-7"}', null, move(9999, 1, 0)]);
    expect(run.bad()).toEqual([
      { code: 'user.data.type', message: 'account: "ACC-7" is not BIGINT', source: 'transactions' },
      { code: 'user.data.tombstone', message: 'a null value (tombstone) is no row', source: 'transactions' },
      { code: 'user.data.late', message: 'all windows of the row are closed', source: null },
    ]);
    await run.send('transactions', [move(1, 5000.01, 60)]);
    await run.finish();
    expect(run.rows('fraud-alerts')).toHaveLength(2);
  });

  it('has partitions, keys, headers and times', async () => {
    project.write('f.yaml', PIPELINE.replace('account BIGINT', 'account BIGINT NOT NULL'));
    const run = start(project.path('pipelines/f.yaml'), { partitions: 2, now: '2024-01-01T12:00:00Z' });
    await run.send('transactions', [move(1, 10, 0), move(1, 10, 100)], { partition: 0 });
    // Kafka's own tests give this key the hash -1486304829: partition 1 of 2
    await run.send('transactions', [move(2, 10, 1)], { key: 'a-little-bit-longer-string', headers: { a: 'b' } });
    expect(run.rows('sums')).toEqual([]);
    await run.idle('transactions', 1);
    expect(run.rows('sums').map(r => r['account']).sort()).toEqual([1, 2]);
    await run.send('transactions', [move(1, 10, 200)], { time: new Date('2024-01-01T10:00:00Z') });
    expect(run.bad().map(b => b.code)).toEqual(['user.data.future_event']);
    await expect(run.send('transactions', [], { partition: 2 })).rejects.toThrow('there is no partition 2');
    await expect(run.send('nowhere', [])).rejects.toThrow('there is no source "nowhere"; sources: transactions');
    await expect(run.advance('soon')).rejects.toThrow('soon is no duration such as 500ms, 70s, 5m');
    expect(() => run.rows('summs')).toThrow('there is no sink "summs"; sinks: sums');
  });

  it('rejects with the code of what stops the pipeline', async () => {
    project.write('s.yaml', PIPELINE.replace('event_time:', 'on_error: stop\n    event_time:'));
    const run = start(project.path('pipelines/s.yaml'));
    await expect(run.send('transactions', ['x'])).rejects.toMatchObject({ name: 'PipelineError', code: 'user.data.decode' });
  });

  it('throws all problems of a file, with their places', () => {
    project.write('b.yaml', PIPELINE.replace('SUM(amount)', 'SUM(amonut)').replace("type <> 'test'", 'tpye IS NULL'));
    const problem = (): unknown => testPipeline(project.path('pipelines/b.yaml'));
    expect(problem).toThrow(/b\.yaml:9:27 error\[user\.sql\.unknown_column\]: column "amonut" does not exist(.|\n)*column "tpye" does not exist/);
  });

  it('takes the environment that it is given', async () => {
    project.write('e.yaml', PIPELINE.replace("'1' MINUTE", "'1' MINUTE").replace('delay: 5s', 'delay: "${PIPE_TEST_DELAY}"'));
    expect(() => testPipeline(project.path('pipelines/e.yaml'))).toThrow('variable PIPE_TEST_DELAY is not set');
    const run = start(project.path('pipelines/e.yaml'), { env: { PIPE_TEST_DELAY: '0s' } });
    await run.send('transactions', [move(1, 1, 59), move(1, 1, 60)]);
    expect(run.rows('sums')).toHaveLength(1);
  });

  describe('registers the tests of a file', () => {
    for (const file of ['fraud.yaml', 'balances.yaml']) for (const t of pipelineTests(shipped(file))) it(t.name, t.run);
  });

  it('says how a test of a file failed', async () => {
    project.write('p.yaml', PIPELINE);
    project.write('p.test.yaml', `pipeline: p.yaml
tests:
  - name: fails
    input: {transactions: [${row(1, 10, 0)}]}
    expect: {sums: [{total: 11.00}]}
`);
    const [test] = pipelineTests(project.path('pipelines/p.test.yaml'));
    await expect(test?.run()).rejects.toThrow(`pipelines/p.test.yaml:3: test "fails" failed
sums: 1 row expected, 1 received
  differs, line 5
  - total  11.00
  + total  10.00
- expected  + received`);
  });
});
