import { parseArgs } from 'node:util';
import { PipeError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import type { Command, Flag, Parsed } from './command.ts';

/** Flags that every command takes. */
export const globalFlags: readonly Flag[] = [
  { name: 'json', value: 'boolean', summary: 'machine-readable output' },
  { name: 'quiet', value: 'boolean', summary: 'problems only on stderr' },
  { name: 'color', value: 'auto|always|never', summary: 'colours in messages (default auto: on a terminal)' },
  { name: 'data-dir', value: 'DIR', summary: 'folder of topics and state (default .pipe/ of the project, or PIPE_DATA_DIR)' },
  { name: 'debug', value: 'boolean', summary: 'stack traces of unexpected errors' },
  { name: 'help', short: 'h', value: 'boolean', summary: 'this help' },
];

const COLORS = ['auto', 'always', 'never'];

/** Arguments of a command. Throws user.usage.* with the command's help in the hint. */
export function parseCommandLine(command: Command, argv: readonly string[]): Parsed {
  const flags = new Map([...command.flags, ...globalFlags].map(f => [f.name, f]));
  const shorts = new Map([...flags.values()].flatMap(f => (f.short === undefined ? [] : [[f.short, f] as const])));
  const { tokens } = parseArgs({
    args: [...argv], strict: false, allowPositionals: true, tokens: true,
    options: Object.fromEntries([...flags.values()].map(f => [f.name, { type: f.value === 'boolean' || f.optional !== undefined ? 'boolean' : 'string', ...(f.short === undefined ? {} : { short: f.short }) }] as const)),
  });
  const values = new Map<string, string[]>();
  const args: string[] = [];
  let open: Flag | null = null;
  for (const t of tokens) {
    if (t.kind === 'positional') {
      // the value of the flag before it, or an argument
      if (open?.optional?.test(t.value) === true) values.set(open.name, [t.value]);
      else args.push(t.value);
    }
    open = null;
    if (t.kind !== 'option') continue;
    const flag = flags.get(t.name) ?? shorts.get(t.name);
    if (flag === undefined) throw unknownFlag(command, t.rawName, flags);
    if (flag.optional !== undefined && t.value === undefined) open = flag;
    values.set(flag.name, [...(values.get(flag.name) ?? []), checked(command, flag, t.rawName, t.value, values.has(flag.name))]);
  }
  const color = values.get('color')?.at(-1) ?? 'auto';
  if (!COLORS.includes(color)) throw usage(command, 'user.usage.bad_value', `--color takes ${COLORS.join(', ')}, not "${color}"`);
  return { args, text: f => values.get(f)?.at(-1), texts: f => values.get(f) ?? [], has: f => values.has(f) };
}

function checked(command: Command, flag: Flag, raw: string, value: string | undefined, again: boolean): string {
  if (again && flag.many !== true && flag.value !== 'boolean') throw usage(command, 'user.usage.bad_value', `${raw} is given twice`);
  if (flag.value === 'boolean') {
    if (value !== undefined) throw usage(command, 'user.usage.bad_value', `${raw} takes no value`);
    return '';
  }
  if (value === undefined && flag.optional !== undefined) return '';
  if (value === undefined) throw usage(command, 'user.usage.missing_argument', `${raw} needs a value: ${raw} ${flag.value}`);
  return value;
}

function unknownFlag(command: Command, raw: string, flags: ReadonlyMap<string, Flag>): PipeError {
  const other = ofOtherLog(raw, flags);
  if (other !== null) return new PipeError('user.usage.unknown_flag', `pipe ${command.name} has no flag ${raw}`, { hint: other });
  const near = didYouMean(raw.replace(/^-+/, ''), flags.keys())?.replace('"', '"--');
  return new PipeError('user.usage.unknown_flag', `pipe ${command.name} has no flag ${raw}`, { hint: near ?? seeHelp(command) });
}

/** Commands that open a log are told its brokers; those that read saved state ask none, and are told the name of its log. */
function ofOtherLog(raw: string, flags: ReadonlyMap<string, Flag>): string | null {
  if (raw === '--brokers' && flags.has('log')) return 'it asks no broker: --log ID names the log of the state, embedded or a Kafka cluster id; pipe state ls lists them';
  if (raw === '--log' && flags.has('brokers') && !flags.has('log-format')) return 'it opens the log: --brokers LIST names its brokers, --brokers none the embedded log';
  return null;
}

const seeHelp = (command: Command): string => `see: pipe ${command.name} --help`;

const usage = (command: Command, code: 'user.usage.bad_value' | 'user.usage.missing_argument', message: string): PipeError => new PipeError(code, message, { hint: seeHelp(command) });

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|min|h)$/;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/** `30s`, `500ms`, `2m`, `1h` in ms. Throws user.usage.bad_value. */
export function durationFlag(flag: string, text: string): number {
  const m = DURATION.exec(text);
  if (m === null) throw new PipeError('user.usage.bad_value', `${flag} takes a duration such as 30s, 500ms or 2m, not "${text}"`);
  return Number(m[1]) * (UNITS[m[2] as string] as number);
}

/** One of a few words. Throws user.usage.bad_value. */
export function wordFlag<T extends string>(flag: string, text: string, words: readonly T[]): T {
  const found = words.find(w => w === text);
  if (found === undefined) throw new PipeError('user.usage.bad_value', `${flag} is one of ${words.join(', ')}, not "${text}"`, { hint: didYouMean(text, words) });
  return found;
}

/** A whole number >= `least`. Throws user.usage.bad_value. */
export function countFlag(flag: string, text: string, least = 0): number {
  const n = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(n) || n < least) throw new PipeError('user.usage.bad_value', `${flag} takes a whole number from ${least} on, not "${text}"`);
  return n;
}

/** Throws user.usage.bad_value where a command takes no argument. */
export function noArguments(p: Parsed, command: string): void {
  if (p.args.length > 0) throw new PipeError('user.usage.bad_value', `pipe ${command} takes no argument, not "${p.args[0]}"`, { hint: `see: pipe ${command} --help` });
}
