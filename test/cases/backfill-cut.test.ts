import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PipeError } from '../../src/errors.ts';
import { canonical, diff, run, send, truth, written } from './edit-project.ts';
import { Crash, crashing } from './run-case.ts';

const event = (i: number): { k: string; v: number; at: number } => ({ k: `k${(i * 7919) % 300}`, v: 1 + ((i * 17) % 50), at: i * 10 });
const first = Array.from({ length: 1100 }, (_, i) => event(i));
const second = Array.from({ length: 1000 }, (_, i) => event(1100 + i));

const file = (memory: string, more: string): string => `name: edits
sources:
  t:
    schema: k STRING, v INT, at BIGINT
    event_time: {from: at, unit: ms, delay: 0s}
steps:
  per: "SELECT k, SUM(v) AS total, window_start FROM t GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)"
sinks:
  sums: {sql: "SELECT k, total, window_start FROM per"}
${more}settings: {memory: ${memory}}
`;
const SUMS = 'SELECT k, SUM(v) AS total, at / 10000 * 10000 AS window_start FROM t GROUP BY 1, 3';

it('a backfill behind a close of windows on disk that was cut is refused, and after a run of the file as it was sends each row once', async () => {
  let refused = 0;
  for (const epochs of [10, 11, 12]) {
    const dir = mkdtempSync(join(tmpdir(), 'pipe-backfill-cut-'));
    try {
      await send(dir, 't', first);
      await run(dir, file('40KB', ''), [], { engine: crashing(epochs), env: { PIPE_BATCH_ROWS: '100' } }).catch((error: unknown) => { if (!(error instanceof Crash)) throw error; });
      await send(dir, 't', second);
      const edited = file('100MB', '  copy: {sql: "SELECT k, total, window_start FROM per"}\n');
      const said = (JSON.parse((await diff(dir, edited, ['--json'])).out) as { backfill_refused: string | null }).backfill_refused;
      try {
        await run(dir, edited, ['--backfill']);
        expect(said).toBeNull();
      } catch (error) {
        if (!(error instanceof PipeError) || error.code !== 'system.state.incompatible') throw error;
        expect(error.message).toContain('the last run was cut short while it sent the closed windows of "per"');
        // as --diff has said
        expect(said).toBe(`${error.message}; ${error.hint}`);
        expect((await diff(dir, edited)).out).toContain(`\nnext run: goes on\n--backfill: refused (exit code 33): ${said}\n`);
        const other = await diff(dir, edited.replace('SUM(v)', 'MAX(v)'));
        expect([other.code, other.out]).toEqual([33, expect.stringContaining('the rest goes on; not before a run of the file as it was\n')]);
        refused++;
        await run(dir, file('100MB', ''));
        await run(dir, edited, ['--backfill']);
      }
      const wanted = canonical(truth(SUMS, { t: [...first, ...second] }));
      for (const topic of ['sums', 'copy']) expect(canonical(await written(dir, topic)), `${topic} after ${epochs} epochs`).toEqual(wanted);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
  expect(refused).toBeGreaterThan(0);
});
