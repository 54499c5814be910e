import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { PipeError } from '../../src/errors.ts';
import { main } from '../e2e/project.ts';
import { Folder } from '../config/support.ts';

const folder = new Folder();
const good = 'name: p\nsources:\n  t:\n    schema: a STRING\nsinks:\n  o:\n    sql: SELECT a FROM t\n';
const bomb = (n: number, width: number): string => `a0: &a0 [x]\n${Array.from({ length: n }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(width).fill(`*a${i}`).join(', ')}]\n`).join('')}`;
const mapBomb = (n: number): string => `a0: &a0 {x: 1}\n${Array.from({ length: n }, (_, i) => `a${i + 1}: &a${i + 1} {a: *a${i}, b: *a${i}, c: *a${i}}\n`).join('')}`;

/** None of them is a pipeline; each is refused with a problem at a place of the file. */
const cases: readonly (readonly [what: string, text: string | Buffer])[] = [
  // aliases
  ...[2, 5, 9, 20, 60].flatMap(n => [[`a bomb of ${n} lists`, good + bomb(n, 10)] as const, [`a bomb of ${n} maps`, good + mapBomb(n)] as const]),
  ['a bomb in the settings', `${good}settings: {kafka: &k {brokers: [*k, *k]}}\n`],
  ['an anchor that holds itself', `${good}settings: &s\n  kafka: *s\n`], ['a list that holds itself', `${good}tests: &t [*t]\n`], ['an alias without anchor', `${good}settings: *none\n`], ['an alias as key', `${good}? *x\n: 1\n`],
  ['20,000 aliases', `${good}tests: [&a {name: x}, ${'*a, '.repeat(20_000)}]\n`],
  // merge keys
  ['a merge key', 'base: &b {schema: a STRING}\n' + good.replace('    schema: a STRING', '    <<: *b')], ['a merge key at the top', `<<: {name: x}\n${good}`], ['a merge list', good.replace('    schema: a STRING', '    <<: [{schema: a STRING}]')],
  // tags
  ...['!!js/function "function(){}"', '!!js/undefined ""', '!!js/regexp /x/', '!!python/object:os.system "ls"', '!!binary aGk=', '!!set {a}', '!!omap [a: 1]', '!!timestamp 2024-01-01', '!local x', '!<tag:example.com,2000:x> y', '!!merge x', '!e!x y'].map(t => [`the tag ${t}`, `${good}description: ${t}\n`] as const),
  // depth
  ...[200, 5000, 20_000].flatMap(n => [[`${n} open lists`, `${good}x: ${'['.repeat(n)}`] as const, [`${n} lists`, `${good}x: ${'['.repeat(n)}${']'.repeat(n)}`] as const, [`${n} maps`, `${good}x: ${'{a: '.repeat(n)}${'}'.repeat(n)}`] as const]),
  ['300 maps in blocks', good + Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}x:\n`).join('')], ['500 dashes', `${good}x:\n  ${'- '.repeat(500)}a\n`], ['500 question marks', `${good}${'? '.repeat(500)}a\n`],
  // keys
  ['a key twice', `${good}name: q\n`], ['a source twice', good.replace('sinks:', '  t:\n    schema: b STRING\nsinks:')], ['a list as key', `${good}[a]: 1\n`], ['a map as key', `${good}{a: 1}: 1\n`], ['no key', `${good}: 1\n`], ['null as key', `${good}~: 1\n`],
  ['__proto__', `${good}__proto__: {x: 1}\n`], ['constructor', `${good}constructor: {prototype: {x: 1}}\n`], ['__proto__ in settings', `${good}settings: {__proto__: {x: 1}, kafka: {__proto__: {x: 1}}}\n`], ['__proto__ of a source', good.replace('    schema: a STRING', '    schema: a STRING\n    __proto__: {x: 1}')],
  // text
  ['nothing', ''], ['blanks', ' \n\n'], ['a comment', '# x\n'], ['a text', 'hello\n'], ['a list', '- a\n'], ['two documents', `${good}---\n${good}`], ['a directive', `%YAML 1.1\n---\n${good}name: x\n`], ['a tab', `${good}\tx: 1\n`], ['NUL', `${good}x: a\0b\n`], ['bytes that are not UTF-8', Buffer.from(`${good}x: \xff\n`, 'latin1')],
  ['UTF-16', Buffer.from(`\ufeff${good}`, 'utf16le')], ['more than a megabyte', good + `# ${'x'.repeat(1 << 20)}\n`], ['a quote without an end', `${good}description: "x\n`], ['a long number', `${good}settings: {workers: ${'9'.repeat(100_000)}}\n`], ['an infinite number', `${good}settings: {workers: .inf}\n`],
  ['two thousand keys', good + Array.from({ length: 2000 }, (_, i) => `k${i}: 1\n`).join('')],
];

it(`${cases.length} hostile files are refused at a place, without a crash`, () => {
  expect(cases.length).toBeGreaterThanOrEqual(60);
  const passed: string[] = [];
  for (const [what, text] of cases) {
    const { problems } = folder.readFile(text);
    if (problems.length === 0) passed.push(what);
    for (const p of problems) {
      expect(p, what).toBeInstanceOf(PipeError);
      expect(p.code.startsWith('user.'), `${what}: ${p.code}`).toBe(true);
    }
    expect([({} as { x?: unknown }).x, Object.keys(Object.prototype)]).toEqual([undefined, []]);
  }
  expect(passed).toEqual([]);
});

it('what does not say how long it is is read up to the limit', () => {
  const { status, stderr } = spawnSync('sh', ['-c', 'head -c 2000000 /dev/zero | "$0" "$1" validate /dev/stdin', process.execPath, main], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
  expect([status, stderr]).toEqual([3, 'error[user.config.too_large]: /dev/stdin has more than 1048576 bytes; a pipeline file has at most so many\n']);
});

it('a pipe is read to its end however slow its writer is, and one that nobody writes to is refused', () => {
  const text = 'name: p\nsources:\n  t: {schema: a STRING}\nsinks:\n  o: {sql: SELECT a FROM t}\n';
  const sh = (script: string): [number | null, string] => {
    const { status, stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, main], { cwd: folder.dir, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', TEXT: text } });
    return [status, `${stdout}${stderr}`.replace(/\S*(\/dev\/fd\/\d+)/g, '<pipe>')];
  };
  const ok = (file: string): [number, string] => [0, `ok  ${file}: p, 1 source (t), 1 sink (o)\n`];
  expect(sh('"$0" "$1" validate <(printf %s "$TEXT")')).toEqual(ok('<pipe>'));
  expect(sh('"$0" "$1" validate <(sleep 1; printf %s "${TEXT:0:20}"; sleep 1; printf %s "${TEXT:20}")')).toEqual(ok('<pipe>'));
  expect(sh('printf %s "$TEXT" | "$0" "$1" validate /dev/stdin')).toEqual(ok('/dev/stdin'));
  expect(sh('mkfifo named; (sleep 0.5; printf %s "$TEXT" > named) & "$0" "$1" validate named; code=$?; wait; exit $code')).toEqual(ok('named'));
  expect(sh('"$0" "$1" validate named')).toEqual([3, expect.stringMatching(/^error\[user\.config\.file_missing\]: \S*named is a pipe that nobody writes to\n/)]);
});
