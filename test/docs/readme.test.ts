import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { loadPipeline } from '../../src/config/load.ts';
import { Database } from '../../src/state/database.ts';
import { fences, mismatch, steps } from './console.ts';

const root = resolve(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const brokers = inject('brokers') as string | null;

/** A project of its own inside the checkout, where npx finds pipe; without data, so that what the page shows is what a newcomer sees. */
mkdirSync(join(root, '.pipe'), { recursive: true });
const home = mkdtempSync(join(root, '.pipe/readme-'));
cpSync(join(root, 'pipelines'), join(home, 'pipelines'), { recursive: true });
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** The environment without what npm adds for the suite: a newcomer's shell has none of it. */
const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));

const console = fences(readme).filter(f => f.language === 'console');

describe('README', () => {
  it('shows commands only in console blocks, which are run here', () => {
    expect(fences(readme).filter(f => ['sh', 'bash', 'shell', ''].includes(f.language)).map(f => f.line)).toEqual([]);
    expect(console.length).toBeGreaterThan(3);
  });

  it.each(fences(readme).filter(f => f.language === 'yaml' && f.tags[0] !== 'settings'))('line $line: is part of $tags', ({ tags: [file], lines }) => {
    expect(readFileSync(join(root, file as string), 'utf8')).toContain(lines.join('\n'));
  });

  for (const fence of console) {
    for (const step of steps(fence)) {
      const kafka = fence.tags.includes('kafka');
      // installing and the suite itself cannot run inside the suite; .ci/run runs both
      const outside = fence.tags.includes('install');
      it.skipIf(outside || (kafka && brokers === null))(`line ${step.line}: ${step.command}`, () => {
        const command = step.command.replaceAll('localhost:9092', brokers ?? '');
        // npm's own remarks on its configuration are no output of ours
        const env = { ...plain, NO_COLOR: '1', npm_config_loglevel: 'error', PIPE_BROKERS: kafka ? (brokers as string) : '' };
        const r = spawnSync('bash', ['-c', `exec 2>&1; ${command}`], { cwd: home, encoding: 'utf8', env, timeout: 60_000 });
        const printed = r.stdout.replaceAll(brokers ?? '\0', 'localhost:9092').split('\n').filter((l, i, all) => l !== '' || i < all.length - 1);
        if (step.expected.length > 0) expect(mismatch(step.expected.filter((l, i, all) => l !== '' || i < all.length - 1), printed)).toBeNull();
        expect(r.signal).toBeNull();
        if (!step.expected.some(l => l.includes('error['))) expect(r.status).toBe(0);
      });
    }
  }

  it.each(fences(readme).filter(f => f.language === 'yaml' && f.tags[0] === 'settings'))('line $line: settings that are read', ({ lines }) => {
    const file = join(home, 'settings.yaml');
    writeFileSync(file, `name: settings\nsources:\n  t:\n    schema: a STRING\nsinks:\n  o:\n    sql: SELECT a FROM t\n${lines.join('\n')}\n`);
    expect(loadPipeline(file, { env: { KAFKA_CA: 'ca', KAFKA_PASSWORD: 'secret' }, root: home }).settings).toMatchObject({ checkpoint: 200, memory: 2 * 2 ** 30, kafka: { brokers: ['broker1:9093', 'broker2:9093'] } });
  });

  // after the commands, which have made the state
  it.each(fences(readme).filter(f => f.language === 'sql'))('line $line: SQL for the state file', ({ lines }) => {
    const [comment = '', ...sql] = lines;
    const file = /^-- sqlite3 (\S+)$/.exec(comment)?.[1] as string;
    const db = new Database(join(home, file), { readonly: true });
    expect(db.prepare(sql.join('\n')).all()).toEqual([]);
    db.close();
  });
});
