import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Registry } from './registry.ts';

const home = mkdtempSync(join(tmpdir(), 'pipe-init-'));
let registry: Registry;
beforeAll(async () => {
  registry = new Registry(join(home, 'registry'));
  await registry.open();
});
afterAll(() => {
  registry.close();
  rmSync(home, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A command of a newcomer's shell. */
function run(cwd: string, command: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(command, args, { cwd, env: { ...registry.environment(), ...more }, stdio: ['ignore', 'pipe', 'pipe'], timeout: 110_000 });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (t: string) => { out += t; });
  child.stderr.setEncoding('utf8').on('data', (t: string) => { err += t; });
  return new Promise((done, failed) => child.on('error', failed).on('close', code => done({ code, out, err })));
}

const dependency = (dir: string): unknown => (JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }).dependencies['sqlpipe'];

it('U1: two commands lead from nothing to the first table', async () => {
  const start = performance.now();
  const made = await run(home, 'npx', ['--yes', 'sqlpipe', 'init', 'my bank']);
  expect(made.code, made.err).toBe(0);
  expect(made.err).not.toContain('warning');
  expect(made.out.split('\n').at(-2)).toBe("next: cd 'my bank' && npx pipe run balances --until-end");
  const bank = join(home, 'my bank');
  const rows = await run(bank, 'npx', ['pipe', 'run', 'balances', '--until-end']);
  expect(rows.code, rows.err).toBe(0);
  expect(rows.out).toContain('{"account":"1234","balance":250.00,"window_start":1704110400000,"window_end":1704110410000}');
  process.stderr.write(`UX U1 commands=2 seconds=${((performance.now() - start) / 1000).toFixed(1)} (registry on loopback, nothing compiled)\n`);
  expect(dependency(bank)).toMatch(/^\^\d+\.\d+\.\d+$/);
  const checked = await run(bank, 'npm', ['test', '--silent']);
  expect(checked).toMatchObject({ code: 0, out: expect.stringMatching(/^pipelines\/balances\.yaml\n {2}✓ [^]*\npipelines\/fraud\.yaml\n {2}✓ [^]*\n5 tests: 5 passed/) as string });
}, 120_000);

it('a project of a pipe that came from a file gets pipe from that file', async () => {
  const first = join(home, 'first');
  mkdirSync(first);
  const installed = await run(first, 'npm', ['install', registry.tarball]);
  expect(installed.code, installed.err).toBe(0);
  const made = await run(first, 'npx', ['pipe', 'init', '../second', '--template', 'blank']);
  expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/\nnext: cd \.\.\/second && npx pipe run first --until-end\n$/) as string });
  const second = join(home, 'second');
  expect(dependency(second)).toMatch(/^file:\.\.\/registry\/sqlpipe-.*\.tgz$/);
  expect((await run(second, 'npx', ['pipe', 'run', 'first', '--until-end'])).out).toBe('{"id":"a","amount":150.00}\n{"id":"c","amount":100.00}\n');
}, 120_000);

it('without a network the project is whole, and the install a warning', async () => {
  const first = join(home, 'first');
  const made = await run(first, 'npx', ['pipe', 'init', '../third'], { npm_config_registry: 'http://127.0.0.1:1/', npm_config_cache: join(home, 'no-cache') });
  expect(made.code).toBe(0);
  expect(made.err).toMatch(/\nwarning: npm install failed: [^\n]+\. The project is whole: run npm install in [^\n]+third again when that is mended\n$/);
  expect(made.err).not.toMatch(/\n\s+at /);
  expect(made.out).toMatch(/\nnext: cd \.\.\/third && npm install && npx pipe run balances --until-end\n$/);
  expect(existsSync(join(home, 'third/pipelines/pipe.schema.json'))).toBe(true);
  const json = await run(first, process.execPath, ['node_modules/.bin/pipe', 'init', '../third', '--json'], { PATH: home });
  expect(JSON.parse(json.out)).toMatchObject({ v: 1, installed: false, warnings: [expect.stringMatching(/^npm install failed: npm is not installed\. /) as string] });
}, 120_000);

it('a better-sqlite3 whose install script was not run is said as such', async () => {
  const bank = join(home, 'my bank');
  rmSync(join(bank, 'node_modules/better-sqlite3/build'), { recursive: true });
  const { code, err } = await run(bank, 'npx', ['pipe', 'topics', 'ls']);
  expect([code, err]).toEqual([2, 'error[user.usage.native_module]: better-sqlite3 has no binary for this Node: its install script has not run\n  hint: npm rebuild better-sqlite3; where npm asks for it, package.json says "allowScripts": {"better-sqlite3": true}\n']);
});
