import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/args.ts';
import { makeLog } from '../../src/cli/make-log.ts';
import { makeRun } from '../../src/cli/run.ts';
import { runParts } from '../../src/cli/run-parts.ts';
import { builtWorker, readAll } from '../cases/run-case.ts';
import { fakeIo } from '../cli/fake-io.ts';

const pipeline = (name: string): string => `name: ${name}
sources:
  events:
    schema: id STRING, v BIGINT, at BIGINT
    event_time: {from: at, unit: ms, delay: 1ms}
sinks:
  ${name}:
    on_error: stop
    sql: SELECT id, 100 / SUM(v) AS r, window_start FROM events GROUP BY id, TUMBLE(ts, INTERVAL '1' SECOND)
settings: {checkpoint: 1ms}
`;

/** Twelve windows of 50 keys; in the second one key has the sum 0. */
const values = Array.from({ length: 60_000 }, (_, i) => `{"id":"k${i % 50}","v":${i % 50 === 7 && i >= 5000 && i < 10_000 ? 0 : 1},"at":${Math.floor(i / 5)}}`);

it('what fails when a window closes stops the pipeline each time, and nothing behind it is saved', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'pipe-failed-close-'));
  try {
    const data = join(dir, '.pipe');
    const log = await makeLog({ brokers: null, origin: 'test' }, data, null, { warn: () => undefined, info: () => undefined });
    await log.open(1000, new AbortController().signal);
    await log.createTopic({ name: 'events', partitions: 1, retention: null, config: {} });
    for (let i = 0; i < values.length; i += 1000) await log.append('events', values.slice(i, i + 1000).map(v => ({ key: null, value: Buffer.from(v), headers: [], partition: 0, timestamp: null })));
    for (const workers of [1, 2, 3]) {
      const name = `rates-${workers}`;
      const file = join(dir, `${name}.yaml`);
      writeFileSync(file, pipeline(name));
      for (let n = 0; n < 4; n++) {
        const command = makeRun(() => Promise.resolve({ ...runParts, worker: builtWorker }));
        const run = command.run(parseCommandLine(command, [file, '--until-end', '--no-print', '--data-dir', data, '--brokers', 'none', '--workers', String(workers)]), fakeIo({ cwd: dir, env: { PIPE_BATCH_ROWS: '100' } }));
        await expect(run, `run ${n} with ${workers}`).rejects.toMatchObject({ code: 'user.data.division_by_zero' });
      }
      // the first window, once
      expect((await readAll(log, name)).length).toBe(50);
    }
    await log.close();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}, 180_000);
