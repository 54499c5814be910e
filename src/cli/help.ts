import type { Command, Flag } from './command.ts';
import { globalFlags } from './args.ts';

/** One line of the command list: what main knows without loading a command. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}

const left = (f: Flag): string => `${f.short === undefined ? '' : `-${f.short}, `}--${f.name}${f.value === 'boolean' ? '' : f.optional === undefined ? ` ${f.value}` : ` [${f.value}]`}`;

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.min(34, Math.max(...rows.map(([a]) => a.length)));
  return rows.map(([a, b]) => (a.length > width ? `  ${a}\n  ${' '.repeat(width)}  ${b}\n` : `  ${a.padEnd(width)}  ${b}\n`)).join('');
}

/** Help of one command: examples first, then usage and flags. */
export function commandHelp(c: Command): string {
  const own = c.flags.length === 0 ? '' : `\nflags\n${columns(c.flags.map(f => [left(f), f.summary]))}`;
  return `${c.summary}\n\nexamples\n${columns(c.examples)}\nusage\n  pipe ${c.name}${c.usage === '' ? '' : ` ${c.usage}`} [flags]\n${own}\nflags of every command\n${columns(globalFlags.map(f => [left(f), f.summary]))}${c.notes === undefined ? '' : `\n${c.notes.join('\n')}\n`}`;
}

const groupExamples: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  topics: [
    ['pipe topics ls', 'what there is'],
    ['echo hello | pipe topics send notes', 'one record'],
    ['pipe topics tail notes --from-beginning', 'all records, then new ones'],
  ],
  state: [
    ['pipe state query balances.yaml "SELECT * FROM positions"', 'where a pipeline stands'],
    ['pipe state backup balances.yaml copy.db', 'a copy, also while it runs'],
  ],
  dlq: [
    ['pipe dlq ls fraud.yaml', 'what was bad, by code'],
    ['pipe dlq show fraud.yaml 17', 'all of one: bytes, cause, place'],
    ['pipe dlq replay fraud.yaml --code user.data.type', 'once the cause is mended'],
  ],
};

/** Commands that begin with one word: `pipe topics`. */
export const groupHelp = (group: string, commands: readonly CommandEntry[]): string =>
  `usage: pipe ${group} COMMAND [flags]\n\nexamples\n${columns(groupExamples[group] ?? [])}\ncommands\n${columns(commands.map(c => [`pipe ${c.name}`, c.summary]))}\npipe ${group} COMMAND --help says more about one of them.\n`;

export function overview(commands: readonly CommandEntry[]): string {
  return `pipe: streaming SQL pipelines from a YAML file
usage: pipe COMMAND [FILE|FOLDER...] [flags]

examples
${columns([
    ['pipe run balances.yaml', 'run a pipeline; without a broker on the embedded log'],
    ['pipe run pipelines/ --until-end', 'all pipelines of a folder, to the end of their topics'],
    ['pipe topics tail fraud-alerts', 'see what came out'],
  ])}
commands
${columns(commands.map(c => [c.name, c.summary]))}
pipe COMMAND --help says more about one of them; pipe --version says which pipe this is.
`;
}
