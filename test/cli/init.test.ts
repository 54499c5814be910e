import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dependencyOn, ownPackage } from '../../src/cli/own-package.ts';
import { PipeProject } from './pipe.ts';

const checkout = resolve(import.meta.dirname, '../..');
let home: string;
let p: PipeProject;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'pipe-init-'));
  p = new PipeProject(home);
});
afterEach(() => p.remove());

const read = (...parts: string[]): string => readFileSync(p.path(...parts), 'utf8');
const filesOf = (dir: string): string[] => readdirSync(p.path(dir), { recursive: true, encoding: 'utf8' }).filter(f => !statSync(p.path(dir, f)).isDirectory()).sort();
const init = (...args: string[]): ReturnType<PipeProject['call']> => p.call(['init', ...args, '--no-install']);

describe('pipe init', () => {
  it('makes the shipped pipelines byte by byte, with all that belongs to them', async () => {
    const { exit, out, err } = await init('bank');
    expect([exit, err]).toEqual([0, '']);
    expect(filesOf('bank')).toEqual(['.env.example', '.gitignore', 'README.md', 'package.json', 'pipelines/balances.yaml', 'pipelines/data/transactions.jsonl', 'pipelines/fraud.yaml', 'pipelines/pipe-test.schema.json', 'pipelines/pipe.schema.json']);
    for (const f of filesOf('bank/pipelines')) expect(read('bank/pipelines', f)).toBe(readFileSync(join(checkout, 'pipelines', f), 'utf8'));
    expect(read('bank/.gitignore').split('\n')).toEqual(['node_modules/', '.pipe/', '.env', '']);
    expect(read('bank/.env.example')).toContain('PIPE_BROKERS');
    expect(JSON.parse(read('bank/package.json'))).toMatchObject({ name: 'bank', private: true, scripts: { start: 'pipe run pipelines/' }, dependencies: { sqlpipe: expect.stringMatching(/^file:/) as string } });
    expect(resolve(p.path('bank'), (JSON.parse(read('bank/package.json')) as { dependencies: { sqlpipe: string } }).dependencies.sqlpipe.slice(5))).toBe(checkout);
    expect(out.split('\n').slice(0, 2)).toEqual(['made  bank/pipelines/balances.yaml', 'made  bank/pipelines/fraud.yaml']);
    expect(out).toMatch(/\nnext: cd bank && npm install && npx pipe run balances --until-end\n$/);
    expect(out.split('\n').filter(l => l.length > 80)).toEqual([]);
  });

  it.each([
    ['balances', ['balances.yaml', 'data/transactions.jsonl', 'pipe-test.schema.json', 'pipe.schema.json']],
    ['fraud', ['data/transactions.jsonl', 'fraud.yaml', 'pipe-test.schema.json', 'pipe.schema.json']],
    ['blank', ['data/events.jsonl', 'first.yaml', 'pipe-test.schema.json', 'pipe.schema.json']],
  ])('--template %s runs and names its schema', async (template, files) => {
    await init('.', '--template', template);
    expect(filesOf('pipelines')).toEqual(files);
    const first = template === 'blank' ? 'first' : template;
    expect(read(`pipelines/${first}.yaml`)).toMatch(/^# yaml-language-server: \$schema=\.\/pipe\.schema\.json\n/);
    expect(read('README.md')).toContain(`npx pipe run ${first} --until-end`);
    const { out } = await p.ok(['run', first, '--until-end']);
    expect(out).toMatch(/^\{.*\}\n/);
    await p.ok(['validate', 'pipelines/']);
    expect((JSON.parse(read('package.json')) as { scripts: { test: string } }).scripts.test).toBe('pipe test');
    await p.ok(['test']);
  });

  it('says which templates there are', async () => {
    expect((await init('x', '--template', 'blanc')).problem).toMatchObject({ code: 'user.usage.bad_value', hint: 'did you mean "blank"?' });
  });

  it('keeps what is there, and says what that leaves undone', async () => {
    mkdirSync(p.path('old/pipelines'), { recursive: true });
    for (const [f, text] of [['package.json', '{"name":"old"}'], ['.gitignore', 'node_modules\n'], ['pipelines/fraud.yaml', 'mine']] as const) writeFileSync(p.path('old', f), text);
    symlinkSync(p.path('nowhere'), p.path('old/README.md'));
    const { exit, out, err } = await init('old');
    expect(exit).toBe(0);
    expect([read('old/package.json'), read('old/.gitignore'), read('old/pipelines/fraud.yaml')]).toEqual(['{"name":"old"}', 'node_modules\n', 'mine']);
    expect(out.match(/^kept.*$/gm)).toEqual(['pipelines/fraud.yaml', 'package.json', '.gitignore', 'README.md'].map(f => `kept  old/${f} (yours, not the one of the template)`));
    expect(readdirSync(home)).toEqual(['old']);
    expect(err).toBe(`warning: package.json does not name sqlpipe: npm install sqlpipe in ${p.path('old')} adds it\nwarning: .gitignore does not name .pipe, .env: secrets in .env could be committed\n`);
    expect(out).toMatch(/\nnext: cd old && npm install sqlpipe && npx pipe run balances --until-end\n$/);
  });

  it('a second time finds everything as it was', async () => {
    await init('bank');
    const { exit, json } = await init('bank', '--json');
    expect(exit).toBe(0);
    expect(json).toEqual([{ v: 1, dir: p.path('bank'), files: expect.any(Array) as unknown, installed: false, warnings: [], next: 'cd bank && npm install && npx pipe run balances --until-end' }]);
    expect(new Set((json[0]?.['files'] as { outcome: string }[]).map(f => f.outcome))).toEqual(new Set(['alike']));
  });

  it('makes no project inside another one by accident', async () => {
    await init('.');
    mkdirSync(p.path('notes'));
    const inner = new PipeProject(p.path('notes'));
    const { problem } = await inner.call(['init', '--no-install']);
    expect(problem).toMatchObject({ code: 'user.usage.bad_value', message: `this folder lies in the project ${home}`, hint: 'pipe init .. adds what is missing there; pipe init . makes a project of its own here' });
    const { exit, err } = await inner.call(['init', '.', '--no-install']);
    expect([exit, err]).toEqual([0, `warning: ${p.path('notes')} lies in the project ${home}: commands see the pipelines and data of the nearest one\n`]);
  });

  it('refuses what is no folder, more than one, and where it may not write', async () => {
    writeFileSync(p.path('file'), '');
    expect((await init('file')).problem).toMatchObject({ code: 'user.usage.bad_value', message: 'file is a file, not a folder' });
    expect((await init('a', 'b')).problem).toMatchObject({ code: 'user.usage.bad_value' });
    expect((await init('file/below')).problem?.exit).toBe(30);
    mkdirSync(p.path('half'));
    writeFileSync(p.path('half/pipelines'), '');
    expect((await init('half')).problem).toMatchObject({ code: 'system.resource.disk', message: expect.stringContaining('half/pipelines/balances.yaml cannot be written') as string });
  });

  it.each([['Ünser Bank!', 'nser-bank'], ['sqlpipe', 'sqlpipe-project'], ['_.-', 'pipelines'], ["it's", 'it-s']])('folder %s is package %s', async (dir, name) => {
    const { out } = await init(dir);
    expect((JSON.parse(read(dir, 'package.json')) as { name: string }).name).toBe(name);
    if (dir === "it's") expect(out).toContain("next: cd 'it'\\''s' && npm install");
  });
});

it('a project depends on the pipe that made it', () => {
  const modules = join(home, 'x/node_modules');
  const lock = (resolved: string): void => writeFileSync(join(modules, '.package-lock.json'), JSON.stringify({ packages: { 'node_modules/sqlpipe': { resolved } } }));
  mkdirSync(join(modules, 'sqlpipe'), { recursive: true });
  const from = (): string => dependencyOn(join(home, 'bank'), '1.2.3', join(modules, 'sqlpipe'));
  expect(from()).toBe('^1.2.3');
  lock('https://registry.invalid/sqlpipe/-/sqlpipe-1.2.3.tgz');
  expect(from()).toBe('^1.2.3');
  lock('file:../packed/sqlpipe-1.2.3.tgz');
  expect(from()).toBe('file:../packed/sqlpipe-1.2.3.tgz');
  lock('git+ssh://git@host.invalid/a/b.git#0123');
  expect(from()).toBe('git+ssh://git@host.invalid/a/b.git#0123');
  writeFileSync(join(modules, '.package-lock.json'), '{');
  expect(from()).toBe('^1.2.3');
  cpSync(join(checkout, 'package.json'), join(home, 'package.json'));
  expect(dependencyOn(join(home, 'bank'), '1.2.3', join(home, 'work', 'pipe'))).toBe(`file:../work/pipe`);
  expect(ownPackage().name).toBe('sqlpipe');
  expect(basename(checkout)).not.toBe('node_modules');
});
