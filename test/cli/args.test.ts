import { describe, expect, it } from 'vitest';
import { countFlag, durationFlag, parseCommandLine, wordFlag } from '../../src/cli/args.ts';
import type { Command } from '../../src/cli/command.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import type { CommandEntry } from '../../src/cli/help.ts';
import { PipeError } from '../../src/errors.ts';
import { fakeIo } from './fake-io.ts';

const greet: Command = {
  name: 'greet', summary: 'says hello', usage: 'NAME',
  examples: [['pipe greet Ann', 'a plain hello']],
  flags: [
    { name: 'loud', short: 'l', value: 'boolean', summary: 'in capitals' },
    { name: 'times', value: 'N', summary: 'how often' },
    { name: 'header', value: 'K=V', many: true, summary: 'more of them' },
    { name: 'port', value: 'PORT', optional: /^\d+$/, summary: 'where to listen' },
  ],
  run: (p, io) => {
    io.out.write(`${p.args.join(',')}|${p.text('times') ?? ''}|${p.has('loud')}|${p.texts('header').join(',')}\n`);
    return Promise.resolve(p.has('loud') ? 7 : 0);
  },
};
const tail: Command = { ...greet, name: 'topics tail' };
const entries: readonly CommandEntry[] = [greet, tail, { ...greet, name: 'topics ls' } as Command].map(c => ({ name: c.name, summary: c.summary, load: () => Promise.resolve(c) }));

async function pipe(...argv: string[]): Promise<{ exit: number; out: string }> {
  const io = fakeIo();
  const exit = await dispatch(argv, io, entries, () => '1.2.3');
  return { exit, out: io.out.text };
}

async function problem(...argv: string[]): Promise<Pick<PipeError, 'code' | 'message' | 'hint' | 'exit'>> {
  const error = await pipe(...argv).then(() => null, e => e as PipeError);
  expect(error).toBeInstanceOf(PipeError);
  const { code, message, hint, exit } = error as PipeError;
  return { code, message, hint, exit };
}

describe('a command line', () => {
  it('finds the command, its arguments and flags in any order', async () => {
    expect(await pipe('greet', '--times', '3', 'Ann', '-l', '--header', 'a=1', '--header=b=2', 'Bob')).toEqual({ exit: 7, out: 'Ann,Bob|3|true|a=1,b=2\n' });
    expect(await pipe('topics', 'tail', 'orders')).toEqual({ exit: 0, out: 'orders||false|\n' });
    expect(await pipe('greet', '--', '--loud')).toEqual({ exit: 0, out: '--loud||false|\n' });
  });

  it('takes the value of a flag that may go without only where it looks like one', () => {
    const parsed = (...argv: string[]): unknown => { const p = parseCommandLine(greet, argv); return [p.has('port'), p.text('port'), p.args]; };
    expect(parsed('Ann')).toEqual([false, undefined, ['Ann']]);
    expect(parsed('Ann', '--port')).toEqual([true, '', ['Ann']]);
    expect(parsed('--port', 'Ann')).toEqual([true, '', ['Ann']]);
    expect(parsed('--port', '8080', 'Ann')).toEqual([true, '8080', ['Ann']]);
    expect(parsed('--port=8080', '7')).toEqual([true, '8080', ['7']]);
    expect(parsed('--port', '-l', '8080')).toEqual([true, '', ['8080']]);
    expect(parsed('--port', '--', '8080')).toEqual([true, '', ['8080']]);
  });

  it('prints the version, and help with examples first', async () => {
    expect((await pipe('--version')).out).toBe('1.2.3\n');
    const { out } = await pipe('greet', '--help');
    const places = ['says hello', 'examples', 'pipe greet Ann', 'usage', 'pipe greet NAME [flags]', '-l, --loud', '--times N', '--data-dir DIR'].map(x => out.indexOf(x));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
    for (const list of [await pipe(), await pipe('--help'), await pipe('help')]) expect(list.out).toMatch(/^pipe: .*\nusage: pipe COMMAND \[FILE\|FOLDER\.\.\.\] \[flags\]\n\nexamples[^]*commands[^]*greet[^]*topics tail/);
    expect((await pipe('help', 'greet')).out).toBe(out);
    expect((await pipe('topics')).out).toMatch(/^usage: pipe topics COMMAND \[flags\]\n\nexamples\n  pipe topics ls [^]*\ncommands\n  pipe topics tail  says hello\n  pipe topics ls    says hello\n/);
  });

  it('refuses an unknown command and says what was meant', async () => {
    expect(await problem('geret')).toEqual({ code: 'user.usage.unknown_command', message: 'pipe has no command "geret"', hint: 'did you mean "greet"?', exit: 2 });
    expect(await problem('topics', 'tial')).toEqual({ code: 'user.usage.unknown_command', message: 'pipe has no command "topics tial"', hint: 'did you mean "topics tail"?', exit: 2 });
    for (const word of ['-v', 'version', '-version']) expect((await problem(word)).hint).toBe('did you mean "--version"?');
    expect((await pipe()).out).toContain('pipe --version');
    expect((await problem('fraud.yaml')).hint).toBe('to run a file: pipe run fraud.yaml');
  });

  it('refuses unknown flags, missing values and values that are not wanted', async () => {
    expect(await problem('greet', '--tmies', '3')).toEqual({ code: 'user.usage.unknown_flag', message: 'pipe greet has no flag --tmies', hint: 'did you mean "--times"?', exit: 2 });
    expect(await problem('greet', '-x')).toMatchObject({ code: 'user.usage.unknown_flag', message: 'pipe greet has no flag -x' });
    expect(await problem('greet', '--times')).toMatchObject({ code: 'user.usage.missing_argument', message: '--times needs a value: --times N' });
    expect(await problem('greet', '--loud=yes')).toMatchObject({ code: 'user.usage.bad_value', message: '--loud takes no value' });
    expect(await problem('greet', '--times', '1', '--times', '2')).toMatchObject({ code: 'user.usage.bad_value', message: '--times is given twice' });
  });

  it('does not take names of objects for flags', () => {
    for (const name of ['--__proto__', '--constructor', '--toString']) expect(() => parseCommandLine(greet, [name])).toThrow(`has no flag ${name}`);
  });
});

describe('values of flags', () => {
  it('are durations, words and counts', () => {
    expect(['30s', '500ms', '2m', '1h', '1.5s', '3min'].map(t => durationFlag('--x', t))).toEqual([30_000, 500, 120_000, 3_600_000, 1500, 180_000]);
    expect(wordFlag('--color', 'auto', ['auto', 'never'])).toBe('auto');
    expect(countFlag('--count', '12')).toBe(12);
    expect(() => durationFlag('--connect-timeout', '30')).toThrow('--connect-timeout takes a duration such as 30s, 500ms or 2m, not "30"');
    expect(() => wordFlag('--color', 'nevr', ['auto', 'never'])).toThrow('--color is one of auto, never, not "nevr"');
    for (const bad of ['-1', '1.5', 'x', '1e3', '']) expect(() => countFlag('--count', bad)).toThrow('--count takes a whole number');
  });
});
