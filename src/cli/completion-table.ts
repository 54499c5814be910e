import { globalFlags } from './args.ts';
import type { Command, Flag } from './command.ts';
import type { CommandEntry } from './help.ts';

/** What may stand at a place: words, names of a kind, or what nobody can know. */
export type Completed = readonly string[] | 'pipelines' | 'topics' | 'files' | 'folders' | null;

export interface CompletedFlag {
  readonly name: string;
  readonly short: string | null;
  readonly summary: string;
  /** Without a value: undefined. */
  readonly value: Completed | undefined;
}

export interface CompletedCommand {
  /** 'run', 'topics ls'. */
  readonly name: string;
  readonly summary: string;
  /** By position; the last one is that of all that follow where `more` is true. */
  readonly args: readonly Completed[];
  readonly more: boolean;
  readonly flags: readonly CompletedFlag[];
}

/** All that a shell needs to know, from the commands themselves. */
export async function completionTable(entries: readonly CommandEntry[]): Promise<readonly CompletedCommand[]> {
  const loaded = await Promise.all(entries.map(e => e.load()));
  return loaded.map((c, i): CompletedCommand => ({
    name: c.name, summary: (entries[i] as CommandEntry).summary, ...args(c), flags: [...c.flags, ...globalFlags].map(completedFlag),
  }));
}

const completedFlag = (f: Flag): CompletedFlag => ({ name: f.name, short: f.short ?? null, summary: f.summary, value: f.value === 'boolean' ? undefined : completed(f.value) });

function args({ usage }: Command): Pick<CompletedCommand, 'args' | 'more'> {
  const words = usage.split(' ').filter(w => w !== '');
  // in a place of its own a FILE is a pipeline
  return { args: words.map(w => completed(w.replace(/[[\]]/g, '').replace('FILE', 'PIPELINE'))), more: words.some(w => w.includes('...')) };
}

/** `FILE|FOLDER`, `TOPIC`, `on|off`. */
function completed(usage: string): Completed {
  const parts = usage.replaceAll('...', '').split('|');
  const words = parts.filter(w => /^[a-z][a-z0-9_-]*$/.test(w));
  if (words.length > 0) return words;
  if (parts.includes('PIPELINE')) return 'pipelines';
  switch (parts[0]) {
    case 'TOPIC': return 'topics';
    case 'FILE': case 'TO': case 'FROM': return 'files';
    case 'DIR': return 'folders';
    default: return null;
  }
}

/** First words of all commands, each once, with what they do. */
export function firstWords(table: readonly CompletedCommand[]): readonly (readonly [word: string, summary: string])[] {
  const words = new Map<string, string>();
  for (const { name, summary } of table) {
    const [word, second] = name.split(' ') as [string, string | undefined];
    words.set(word, second === undefined ? summary : words.has(word) ? `${words.get(word)}, ${second}` : second);
  }
  return [...words];
}

/** Groups of commands: 'topics' with what follows it. */
export function groups(table: readonly CompletedCommand[]): ReadonlyMap<string, readonly (readonly [word: string, summary: string])[]> {
  const found = new Map<string, (readonly [string, string])[]>();
  for (const { name, summary } of table) {
    const [word, second] = name.split(' ') as [string, string | undefined];
    if (second !== undefined) found.set(word, [...(found.get(word) ?? []), [second, summary]]);
  }
  return found;
}

/** A flag as it is typed. */
const typed = (f: CompletedFlag): readonly string[] => [`--${f.name}`, ...(f.short === null ? [] : [`-${f.short}`])];

/** Flags that take a value in any command, as they are typed. */
export const valueFlags = (table: readonly CompletedCommand[]): readonly string[] =>
  [...new Set(table.flatMap(c => c.flags.filter(f => f.value !== undefined).flatMap(typed)))].sort();

/** What follows each flag of a command that takes a value; `names`: command and flag, quoted for sh. */
export const flagValues = (table: readonly CompletedCommand[]): readonly { readonly names: readonly string[]; readonly value: Completed }[] =>
  table.flatMap(c => c.flags.flatMap(f => (f.value === undefined ? [] : [{ names: typed(f).map(n => quoted(`${c.name} ${n}`)), value: f.value }])));

/** A text in single quotes of sh. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
