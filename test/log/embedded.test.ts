import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openEmbeddedLog } from '../../src/connectors/log/log.ts';
import { logConformance } from './conformance.ts';

const dir = mkdtempSync(join(tmpdir(), 'pipe-log-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

logConformance('embedded log', {
  async open() {
    const log = openEmbeddedLog({ path: join(dir, 'topics.db'), notices: { warn: () => undefined, info: () => undefined } });
    await log.open(1000, new AbortController().signal);
    return log;
  },
});
