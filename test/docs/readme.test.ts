import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { fences, mismatch, steps } from './console.ts';

const root = resolve(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const brokers = inject('brokers') as string | null;

/** A copy of the checkout without its data, so that what the page shows is what a newcomer sees. */
const home = mkdtempSync(join(tmpdir(), 'pipe-readme-'));
for (const name of ['package.json', 'pipelines', 'dist', 'README.md', 'compose.yaml']) cpSync(join(root, name), join(home, name), { recursive: true });
symlinkSync(join(root, 'node_modules'), join(home, 'node_modules'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const console = fences(readme).filter(f => f.language === 'console');

describe('README', () => {
  it('shows commands only in console blocks, which are run here', () => {
    expect(fences(readme).filter(f => ['sh', 'bash', 'shell', ''].includes(f.language)).map(f => f.line)).toEqual([]);
    expect(console.length).toBeGreaterThan(3);
  });

  for (const fence of console) {
    for (const step of steps(fence)) {
      const kafka = fence.tags.includes('kafka');
      // installing and the suite itself cannot run inside the suite; .ci/run runs both
      const outside = fence.tags.includes('install');
      it.skipIf(outside || (kafka && brokers === null))(`line ${step.line}: ${step.command}`, () => {
        const command = step.command.replaceAll('localhost:9092', brokers ?? '');
        const r = spawnSync('bash', ['-c', command], { cwd: home, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', PIPE_BROKERS: kafka ? (brokers as string) : '' }, timeout: 60_000 });
        const printed = `${r.stdout}${r.stderr}`.replaceAll(brokers ?? '\0', 'localhost:9092').split('\n').filter((l, i, all) => l !== '' || i < all.length - 1);
        if (step.expected.length > 0) expect(mismatch(step.expected.filter((l, i, all) => l !== '' || i < all.length - 1), printed)).toBeNull();
        expect(r.signal).toBeNull();
      });
    }
  }
});
