import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from './project.ts';

/** Files below the package, packages by their name. */
const loadedFrom = (url: string): string => url.replace(/^.*\/sqlpipe\//, '').replace(/^.*\/node_modules\/((@[^/]+\/)?[^/]+).*$/, '$1');

describe('the package', () => {
  const dir = mkdtempSync(join(tmpdir(), 'pipe-package-'));
  const modules = join(dir, 'node_modules');
  const installed = join(modules, 'sqlpipe');
  const { bin, dependencies, optionalDependencies, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<'bin' | 'dependencies' | 'optionalDependencies', Record<string, string>> & { version: string };
  // an optional one is there on some Nodes
  const packages = Object.keys({ ...dependencies, ...optionalDependencies }).filter(name => existsSync(join(root, 'node_modules', name)));
  const { PIPE_BROKERS, PIPE_DATA_DIR, ...clean } = process.env;
  const env = { ...clean, NO_COLOR: '1' };

  // as npm installs it: what `npm pack` takes of dist/, its dependencies and no others, and links to its bins
  beforeAll(() => {
    const [packed] = JSON.parse(execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', dir], { cwd: root, encoding: 'utf8' })) as [{ filename: string }];
    execFileSync('tar', ['-xzf', join(dir, packed.filename), '-C', dir]);
    mkdirSync(join(modules, '.bin'), { recursive: true });
    cpSync(join(dir, 'package'), installed, { recursive: true });
    for (const name of packages) symlinkSync(join(root, 'node_modules', name), join(modules, name));
    for (const [name, file] of Object.entries(bin)) symlinkSync(join('../sqlpipe', file), join(modules, '.bin', name));
    cpSync(join(root, 'pipelines'), join(dir, 'pipelines'), { recursive: true });
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const pipe = (args: readonly string[], name = 'pipe', more: NodeJS.ProcessEnv = {}): string => {
    const r = spawnSync(join(modules, '.bin', name), args, { cwd: dir, env: { ...env, ...more }, encoding: 'utf8' });
    if (r.status !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${r.signal ?? r.status ?? r.error}\n${r.stderr}`);
    return r.stdout;
  };

  /** What a command loads, without what belongs to Node: V8 names every script that it has run. */
  const loaded = (...args: readonly string[]): readonly string[] => {
    const coverage = mkdtempSync(join(dir, 'coverage-'));
    pipe(args, 'pipe', { NODE_V8_COVERAGE: coverage });
    const scripts = readdirSync(coverage).flatMap(f => (JSON.parse(readFileSync(join(coverage, f), 'utf8')) as { result: { url: string }[] }).result);
    return [...new Set(scripts.filter(s => s.url.startsWith('file:')).map(s => loadedFrom(fileURLToPath(s.url))))];
  };

  it('has bins that run', () => {
    for (const name of Object.keys(bin)) expect(pipe(['--version'], name)).toBe(`${version}\n`);
  });

  it('explains', () => {
    expect(pipe(['explain', 'pipelines/fraud.yaml'])).toContain('fraud');
  });

  it('finds the file of its worker threads, which make the same rows', () => {
    const rows = (workers: string): string[] => pipe(['run', 'pipelines/balances.yaml', '--brokers', 'none', '--until-end', '--workers', workers, '--data-dir', join(dir, `data-${workers}`)]).split('\n').sort();
    const one = rows('1');
    expect(one.length).toBeGreaterThan(600);
    expect(rows('2')).toEqual(one);
  });

  it('loads for a command what it needs', () => {
    expect([...loaded('--version')].sort()).toEqual(['dist/chunks/base.js', 'dist/cli/main.js']);
    const heavy = (...args: readonly string[]): string[] => loaded(...args).map(f => f.replace(/-napi$/, '')).filter(f => packages.includes(f) || f === 'dist/chunks/kafka.js');
    expect(heavy('topics', 'ls', '--brokers', 'none', '--data-dir', join(dir, 'data-1'))).toEqual(['better-sqlite3']);
    expect(heavy('explain', 'pipelines/fraud.yaml')).toEqual(['node-sql-parser']);
    expect(heavy('run', 'pipelines/balances.yaml', '--brokers', 'none', '--until-end').sort()).toEqual(['better-sqlite3', 'node-sql-parser']);
  });

  it('has sqlpipe/testing, with types that are all there is', () => {
    cpSync(join(root, 'test/e2e/consumer.mts'), join(dir, 'consumer.mts'));
    const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--strict', '--module', 'nodenext', '--target', 'es2023', '--lib', 'es2023', '--types', '', '--outDir', join(dir, 'out'), join(dir, 'consumer.mts')], { cwd: dir, encoding: 'utf8' });
    expect([tsc.status, tsc.stdout]).toEqual([0, '']);
    cpSync(join(dir, 'out/consumer.mjs'), join(dir, 'consumer.mjs'));
    const ran = spawnSync(process.execPath, ['consumer.mjs'], { cwd: dir, env, encoding: 'utf8' });
    expect([ran.status, ran.stderr]).toEqual([0, '']);
  });

  it('tests pipelines', () => {
    expect(pipe(['test', '--coverage'])).toMatch(/coverage of pipelines\/balances\.yaml: 5 of 5 outcomes \(100 %\)\ncoverage of pipelines\/fraud\.yaml: 6 of 6 outcomes \(100 %\)\n5 tests: 5 passed/);
    expect(loaded('test').map(f => f.replace(/-napi$/, '')).filter(f => packages.includes(f) || f === 'dist/chunks/kafka.js').sort()).toEqual(['better-sqlite3', 'node-sql-parser']);
  });

  it('keeps the licence of what lies inside', () => {
    const inside = readdirSync(join(installed, 'dist/chunks')).filter(f => f.endsWith('.js')).flatMap(f => [...readFileSync(join(installed, 'dist/chunks', f), 'utf8').matchAll(/^\/\/ node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)].map(m => m[1]));
    expect([...new Set(inside)]).toEqual(['yaml']);
    expect(readFileSync(join(installed, 'dist/chunks/LICENSES.txt'), 'utf8')).toContain(readFileSync(join(root, 'node_modules/yaml/LICENSE'), 'utf8').trim());
  });
});
