import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const cases = Math.ceil(1000 * Number(process.env['PIPE_ROUNDS'] ?? 1));
const seed = Number(process.env['PIPE_SEED'] ?? Date.now() % 1e9);

it('P33: no text of a pipeline file crashes or hangs pipe, or becomes code', async () => {
  const fuzz = join(import.meta.dirname, 'fuzz.mjs');
  const { stderr } = await promisify(execFile)(process.execPath, [fuzz, '--count', String(cases), '--seed', String(seed)]);
  process.stderr.write(stderr);
  expect(stderr).toContain(`PROMISE P33 cases=${cases} `);
  expect(stderr).toContain(' uncaught=0 hangs=0 foreign_tokens=0 ');
}, 600_000);
