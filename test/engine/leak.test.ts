import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** Windows that are opened and closed; a longer run: PIPE_LEAK_ROUNDS=100000. */
const ROUNDS = Number(process.env['PIPE_LEAK_ROUNDS'] ?? 60);

interface Left {
  readonly heap: number;
  readonly external: number;
  readonly fds: number;
  readonly wal: number;
  readonly pages: number;
  readonly used: readonly number[];
  readonly rows: number;
  readonly spilled: number;
}

it.runIf(process.platform === 'linux')(`nothing grows over ${ROUNDS} rounds of windows that open and close, in memory and on disk`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'pipe-leak-'));
  try {
    const out = execFileSync(process.execPath, ['--expose-gc', join(import.meta.dirname, 'leak.mjs'), dir, String(ROUNDS)], { encoding: 'utf8' });
    const left = out.trim().split('\n').map(l => JSON.parse(l) as Left);
    // the first rounds fill caches and the file
    const [early, late] = [left[2] as Left, left.at(-1) as Left];
    // each round closes two windows of 2,000 keys
    expect(late.rows).toBe(ROUNDS * 2 * 2000);
    expect(late.spilled).toBeGreaterThan(early.spilled);
    expect(late.used).toEqual([0, 0]);
    expect(late.fds).toBeLessThanOrEqual(early.fds);
    expect(late.pages).toBeLessThanOrEqual(early.pages * 1.05);
    expect(late.wal).toBeLessThanOrEqual(80 << 20);
    expect(late.heap).toBeLessThanOrEqual(early.heap * 1.1 + (1 << 20));
    expect(late.external).toBeLessThanOrEqual(early.external * 1.1 + (4 << 20));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}, 600_000);
