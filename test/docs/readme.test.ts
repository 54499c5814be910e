import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { loadPipeline } from '../../src/config/load.ts';
import { Database } from '../../src/state/database.ts';
import { freePorts } from '../kafka/broker.ts';
import { type Fence, fences, mismatch, steps } from './console.ts';
import { Terminals, terminalsWork } from './terminals.ts';

const root = resolve(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const brokers = inject('brokers') as string | null;

/** Projects inside the checkout, where npx finds pipe; without data, so that what the page shows is what a newcomer sees. */
mkdirSync(join(root, '.pipe'), { recursive: true });
const homes: string[] = [];
function project(): string {
  const home = mkdtempSync(join(root, '.pipe/readme-'));
  cpSync(join(root, 'pipelines'), join(home, 'pipelines'), { recursive: true });
  homes.push(home);
  return home;
}
const home = project();
/** Files that the page tells the reader to make, for the commands after them. */
for (const { tags, lines } of fences(readme).filter(f => f.language === 'yaml' && f.tags[0] === 'make')) writeFileSync(join(home, tags[1] as string), `${lines.join('\n')}\n`);
/** The tutorial begins in a fresh one. */
const tutorial = project();
const terminals = new Terminals();
afterAll(() => {
  terminals.close();
  for (const h of homes) rmSync(h, { recursive: true, force: true });
});

/** The environment without what npm adds for the suite: a newcomer's shell has none of it. */
const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));

const console = fences(readme).filter(f => f.language === 'console');

/** ms: a window of a minute and its delay are waited for in one of the commands. */
const STEP_MS = 120_000;
/** ms until a terminal shows what the page shows. */
const SHOWN_MS = 40_000;

/** Where a command runs, and what the page calls by another name than this machine. */
interface Place {
  readonly cwd: string;
  readonly names: readonly (readonly [string, string])[];
}

const found = await freePorts(2);
const ports = ['7070', '9464'].map((page, i) => [page, String(found[i])] as const);
const withPorts = (command: string): string => command.replace('--ui', '--ui 7070').replace('--metrics', '--metrics 9464');
const onPage = (lines: readonly string[], { names }: Place): string[] => lines.map(l => names.reduce((t, [page, here]) => t.replaceAll(here, page), l));
const trimmed = (lines: readonly string[]): string[] => lines.filter((l, i) => l !== '' || i < lines.length - 1);
/** The terminals of the tutorial in its order: simulator, run. */
const opened: string[] = [];

if (!terminalsWork) process.stderr.write('tutorial: skipped, tmux is not installed\n');

/** Installing and the suite itself cannot run inside the suite; .ci/run runs both. */
const runs = ({ tags }: Fence): boolean => !tags.includes('install') && (!tags.includes('kafka') || brokers !== null) && (!tags.includes('tutorial') || terminalsWork);

describe('README', () => {
  it('shows commands only in console blocks, which are run here', () => {
    expect(fences(readme).filter(f => ['sh', 'bash', 'shell', ''].includes(f.language)).map(f => f.line)).toEqual([]);
    expect(console.length).toBeGreaterThan(3);
  });

  it.each(fences(readme).filter(f => f.language === 'yaml' && f.tags[0] !== 'settings' && f.tags[0] !== 'make'))('line $line: is part of $tags', ({ tags: [file], lines }) => {
    expect(readFileSync(join(root, file as string), 'utf8')).toContain(lines.join('\n'));
  });

  for (const fence of console) {
    for (const step of steps(fence)) {
      it.skipIf(!runs(fence))(`line ${step.line}: ${step.command}`, async () => {
        const kafka = fence.tags.includes('kafka');
        const there: Place = { cwd: fence.tags.includes('tutorial') ? tutorial : home, names: kafka ? [['localhost:9092', brokers as string]] : fence.tags.includes('tutorial') ? ports : [] };
        const command = there.names.reduce((c, [page, here]) => c.replaceAll(page, here), fence.tags.includes('tutorial') ? withPorts(step.command) : step.command);
        // npm's own remarks on its configuration are no output of ours
        const env = { ...plain, NO_COLOR: '1', npm_config_loglevel: 'error', PIPE_BROKERS: kafka ? (brokers as string) : '' };
        if (fence.tags.includes('terminal')) {
          const name = terminals.open(command, there.cwd, env);
          expect(await terminals.until(() => mismatch(trimmed(step.expected), onPage(terminals.screen(name), there)), SHOWN_MS)).toBeNull();
          opened.push(name);
          return;
        }
        const r = spawnSync('bash', ['-c', `exec 2>&1; ${command}`], { cwd: there.cwd, encoding: 'utf8', env, timeout: STEP_MS });
        if (step.expected.length > 0) expect(mismatch(trimmed(step.expected), trimmed(onPage(r.stdout.split('\n'), there)))).toBeNull();
        expect(r.signal).toBeNull();
        if (!step.expected.some(l => l.includes('error['))) expect(r.status).toBe(0);
      }, STEP_MS + 10_000);
    }
  }

  it.skipIf(!terminalsWork)('the terminals of the tutorial: the run has drained, the simulator ends by Ctrl-C', async () => {
    const [simulator, run] = opened as [string, string];
    expect(await terminals.until(() => (terminals.status(run) === 0 ? null : `status ${terminals.status(run)}\n${terminals.screen(run).join('\n')}`), SHOWN_MS)).toBeNull();
    expect(terminals.screen(run).filter(l => / ✓ [\d,]+ in · [\d,]+ out · 0 late · 0 bad records · /.test(l))).toHaveLength(2);
    expect(terminals.status(simulator)).toBeNull();
    terminals.press(simulator, 'C-c');
    expect(await terminals.until(() => (terminals.status(simulator) === null ? 'it goes on' : null), SHOWN_MS)).toBeNull();
  });

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
