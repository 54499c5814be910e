import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { main } from '../e2e/project.ts';
import { PipeProject } from './pipe.ts';

const has = (shell: string): boolean => spawnSync(shell, ['-c', 'exit'], { stdio: 'ignore' }).status === 0;
const terminal = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;
const there = new Map(['bash', 'zsh', 'fish'].map(shell => [shell, has(shell)]));
for (const [shell, found] of there) if (!found) process.stderr.write(`completion in ${shell}: skipped, it is not installed\n`);
if (!terminal) process.stderr.write('completion on a terminal: skipped, script of util-linux is not installed\n');

let p: PipeProject;
beforeAll(async () => {
  p = new PipeProject();
  p.write('balances.yaml', 'name: balances\nsources:\n  in:\n    schema: a STRING\nsinks:\n  out:\n    sql: SELECT a FROM "in"\n');
  for (const f of ['my pipe.yaml', 'my notes.txt', "it's $5.yaml"]) writeFileSync(p.path(f), '');
  mkdirSync(p.path('sub dir'));
  writeFileSync(p.path('sub dir/inner.yaml'), '');
  writeFileSync(p.path('sub dir/other.txt'), '');
  await p.send('transactions', ['x']);
  await p.send('alerts', ['x']);
  // a pipe that writes down what it was called with, but for the names of topics
  mkdirSync(p.path('bin'));
  writeFileSync(p.path('bin/pipe'), `#!/bin/sh\nif [ "$1 $2" = "topics ls" ]; then exec "${process.execPath}" "${main}" "$@"; fi\nfor a; do printf '<%s>' "$a"; done >> '${p.path('called')}'\necho >> '${p.path('called')}'\n`);
  chmodSync(p.path('bin/pipe'), 0o755);
  for (const shell of there.keys()) writeFileSync(p.path(`c.${shell}`), (await p.ok(['completion', shell])).out);
});
afterAll(() => p.remove());

const { PIPE_BROKERS, PIPE_DATA_DIR, ...rest } = process.env;
const env = (): NodeJS.ProcessEnv => ({ ...rest, PATH: `${p.path('bin')}:${rest['PATH']}`, HOME: p.path('bin'), XDG_CONFIG_HOME: p.path('bin'), XDG_DATA_HOME: p.path('bin'), TERM: 'xterm', COLUMNS: '80', PS1: '$ ' });

/** Keys as they are typed, and the command line that comes of them. */
const TYPED: readonly (readonly [keys: string, called: string])[] = [
  ['pipe top\tdesc\t', '<topics><describe>'],
  ['pipe vali\t', '<validate>'],
  ['pipe run --unt\t', '<run><--until-end>'],
  ['pipe run --jit of\t', '<run><--jit><off>'],
  ['pipe explain --format=mer\t', '<explain><--format=mermaid>'],
  ['pipe run --quiet --brok\t', '<run><--quiet><--brokers>'],
  ['pipe help dlq rep\t', '<help><dlq><replay>'],
  ['pipe validate my\t', '<validate><my pipe.yaml>'],
  ['pipe validate "my\t', '<validate><my pipe.yaml>'],
  ['pipe validate my\\ p\t', '<validate><my pipe.yaml>'],
  ['pipe run it\t', "<run><it's $5.yaml>"],
  ['pipe run sub\tin\t', '<run><sub dir/inner.yaml>'],
  ['pipe run bal\t', '<run><balances.yaml>'],
  ['pipe run --workers 2 my\t', '<run><--workers><2><my pipe.yaml>'],
  ['pipe topics send --file my\\ n\t', '<topics><send><--file><my notes.txt>'],
  ['pipe topics tail trans\t', '<topics><tail><transactions>'],
  ['pipe dlq replay balances --to al\t', '<dlq><replay><balances><--to><alerts>'],
  ['pipe completion z\t', '<completion><zsh>'],
  ['pipe run --data-dir sub\t', '<run><--data-dir><sub dir/>'],
];

const START: Readonly<Record<string, readonly [command: string, lines: readonly string[]]>> = {
  bash: ['bash --norc --noprofile -i', ['bind "set bell-style none"', 'source c.bash']],
  zsh: ['zsh -f -i', ['unsetopt beep', 'zstyle ":completion:*" use-cache no', 'autoload -Uz compinit; compinit -u -D', 'source c.zsh']],
};

describe.each(Object.keys(START))('on a terminal, %s', shell => {
  it.skipIf(there.get(shell) !== true || !terminal).each(TYPED)('%j', (keys, called) => {
    const [command, lines] = START[shell] as (typeof START)[string];
    writeFileSync(p.path('called'), '');
    // what is typed ahead waits in the terminal until the shell reads it
    const r = spawnSync('script', ['-qec', command, '/dev/null'], { cwd: p.dir, env: env(), input: [...lines, keys, 'exit'].map(l => `${l}\n`).join(''), encoding: 'utf8', timeout: 30_000 });
    expect(readFileSync(p.path('called'), 'utf8').replace(/<sub dir>/, '<sub dir/>'), r.stdout).toBe(`${called}\n`);
  });
});

/** What fish offers for a line, without what it says of each. */
function fish(line: string): string[] {
  const r = spawnSync('fish', ['--no-config', '-c', `source c.fish; complete -C ${JSON.stringify(line).replaceAll('$', '\\$')}`], { cwd: p.dir, env: env(), encoding: 'utf8', timeout: 30_000 });
  expect(r.stderr).toBe('');
  return r.stdout.split('\n').filter(l => l !== '').map(l => l.split('\t')[0] as string).sort();
}

describe('fish', () => {
  it.skipIf(there.get('fish') !== true).each([
    ['pipe top', ['topics']],
    ['pipe topics d', ['describe']],
    ['pipe run --unt', ['--until-end']],
    ['pipe run --jit ', ['off', 'on']],
    ['pipe explain --format=mer', ['--format=mermaid']],
    ['pipe help dlq ', ['drop', 'ls', 'replay', 'show']],
    ['pipe validate my', ['my pipe.yaml']],
    ['pipe validate "my', ['my pipe.yaml']],
    ['pipe run it', ["it's $5.yaml"]],
    ['pipe run sub\\ dir/', ['sub dir/inner.yaml']],
    ['pipe run bal', ['balances.yaml']],
    ['pipe run --workers 2 my', ['my pipe.yaml']],
    ['pipe topics send --file my\\ n', ['my notes.txt']],
    ['pipe topics tail ', ['alerts', 'transactions']],
    ['pipe dlq replay balances --to al', ['alerts']],
    ['sqlpipe completion ', ['bash', 'fish', 'zsh']],
    ['pipe topics ls ', []],
  ])('%j', (line, offered) => expect(fish(line)).toEqual(offered));

  it.skipIf(there.get('fish') !== true)('knows every flag of every command', async () => {
    for (const e of commands) {
      const flags = (await e.load()).flags.map(f => `--${f.name}`);
      expect(fish(`pipe ${e.name} --`), e.name).toEqual([...flags, '--color', '--data-dir', '--debug', '--help', '--json', '--quiet'].sort());
    }
  });
});

it.skipIf(there.get('bash') !== true)('bash knows every command and flag', async () => {
  const offer = (...words: string[]): string[] => {
    const r = spawnSync('bash', ['--norc', '-c', 'source c.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pipe; printf "%s\\n" "${COMPREPLY[@]}"', '-', ...words], { cwd: p.dir, env: env(), encoding: 'utf8', timeout: 30_000 });
    expect(r.stderr).toBe('');
    return r.stdout.split('\n').filter(l => l !== '').sort();
  };
  expect(offer('pipe', '')).toEqual([...new Set(commands.map(c => c.name.split(' ')[0] as string)), 'help', '--help', '--version'].sort());
  for (const e of commands) {
    const flags = (await e.load()).flags.map(f => `--${f.name}`);
    expect(offer('pipe', ...e.name.split(' '), '--'), e.name).toEqual([...flags, '--color', '--data-dir', '--debug', '--help', '--json', '--quiet'].sort());
  }
});

it('names the shells that it knows', async () => {
  expect((await p.call(['completion'])).problem).toMatchObject({ code: 'user.usage.missing_argument', hint: 'pipe completion bash|zsh|fish' });
  expect((await p.call(['completion', 'bsh'])).problem).toMatchObject({ code: 'user.usage.bad_value', hint: 'did you mean "bash"?' });
  const [{ v, commands: known }] = (await p.ok(['completion', '--json'])).json as [{ v: number; commands: { name: string }[] }];
  expect([v, known.map(c => c.name)]).toEqual([1, commands.map(c => c.name)]);
});
