// compiled and run by package.test.ts against the package as it is installed
import { pipelineTests, testPipeline, type BadRecord, type PipelineTest, type SinkRecord } from 'sqlpipe/testing';

const run: PipelineTest = testPipeline('pipelines/fraud.yaml', { partitions: 1, now: '2024-01-01T12:00:00Z' });
await run.send('transactions', [{ account: 1, amount: 6000, timestamp: '1704110400', type: 'deposit' }, '{', null], { key: '1', headers: { a: 'b' }, time: 1704110400000 });
await run.advance('70s');
const texts: string[] = run.texts('fraud-alerts');
const records: SinkRecord[] = run.records('fraud-alerts');
const bad: BadRecord[] = run.bad();
if (texts.length !== 1 || records[0]?.key !== '1' || bad.length !== 2) throw new Error(JSON.stringify([texts, records, bad]));
await run.restart();
await run.idle('transactions', 0);
await run.finish();
await run.close();
// @ts-expect-error: a sink is to be named
export const wrong = (): unknown => run.rows();
for (const { name, run: test } of pipelineTests('pipelines/balances.yaml')) await test().catch((error: unknown) => { throw new Error(name, { cause: error }); });
