import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project } from './project.ts';

let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

const pipeline = (workers: number): string => `name: rates-${workers}
sources:
  events:
    schema: id STRING, v BIGINT, at BIGINT
    event_time: {from: at, unit: ms, delay: 1ms}
sinks:
  rates-${workers}:
    on_error: stop
    sql: SELECT id, 100 / SUM(v) AS r, window_start FROM events GROUP BY id, TUMBLE(ts, INTERVAL '1' SECOND)
settings: {workers: ${workers}, checkpoint: 1ms}
`;

/** A key whose sum is zero in the second window of twelve. */
const lines = (): string => Array.from({ length: 60_000 }, (_, i) => `{"id":"k${i % 50}","v":${i % 50 === 7 && i >= 5000 && i < 10_000 ? 0 : 1},"at":${Math.floor(i / 5)}}\n`).join('');

it('what fails when a window closes stops the pipeline each time, and nothing behind it is saved', async () => {
  await p.run(['topics', 'create', 'events', '--partitions', '1']);
  await p.run(['topics', 'send', 'events'], { input: lines() });
  for (const workers of [1, 2]) {
    p.write(`rates-${workers}.yaml`, pipeline(workers));
    for (let n = 0; n < 4; n++) {
      const run = await p.run(['run', `rates-${workers}.yaml`, '--until-end', '--no-print', '--quiet'], { env: { PIPE_BATCH_ROWS: '100' } });
      expect([run.code, run.err], `run ${n} with ${workers}`).toEqual([13, expect.stringContaining('division by zero')]);
    }
  }
  const rows = await p.run(['topics', 'tail', 'rates-2', '--from-beginning', '--until-end']);
  expect([...rows.lines].sort()).toEqual(Array.from({ length: 50 }, (_, k) => `{"id":"k${k}","r":1,"window_start":0}`).sort());
}, 180_000);
