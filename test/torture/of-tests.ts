import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { node } from './child.ts';
import type { Promised } from './promise.ts';

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly { readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[] }[];
}

/** A promise that test files of the suite keep, as a run of them with more of the same (`env`). */
export const ofTests = (id: string, promise: string, files: readonly string[], env: Readonly<Record<string, string>> = {}): Promised => ({
  id, promise, needs: 'nothing', rounds: 1, zero: ['failed'],
  async run({ brokers, say }) {
    const dir = mkdtempSync(join(tmpdir(), 'pipe-torture-'));
    const report = join(dir, 'report.json');
    try {
      await node([vitest, 'run', '--config', 'test/vitest.config.ts', '--reporter=json', `--outputFile=${report}`, ...files.map(f => `test/${f}.test.ts`)], { ...env, ...(brokers === null ? {} : { PIPE_TEST_BROKERS: brokers }) });
      const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
      for (const t of testResults.flatMap(f => f.assertionResults)) if (t.status === 'failed') say(`failed: ${t.fullName}`);
      if (numPassedTests + numFailedTests === 0) throw new Error(`no test has run: ${files.join(', ')}`);
      return { tests: numPassedTests, failed: numFailedTests };
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  },
});
