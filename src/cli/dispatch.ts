import { PipeError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import { parseCommandLine } from './args.ts';
import type { Command, Io } from './command.ts';
import { commandHelp, groupHelp, overview, type CommandEntry } from './help.ts';

export interface Invocation {
  readonly command: Command;
  /** Arguments after the command's name. */
  readonly argv: readonly string[];
}

/**
 * What a command line asks for: a text to print (help, version), or a command. Only the command that is asked for is loaded.
 * Throws user.usage.unknown_command.
 */
async function findCommand(argv: readonly string[], commands: readonly CommandEntry[], version: () => string): Promise<Invocation | string> {
  const [first, second] = argv;
  if (first === undefined || first === '--help' || first === '-h') return overview(commands);
  if (first === '--version' || first === '-V') return `${version()}\n`;
  if (first === 'help') return findCommand([...argv.slice(1), '--help'], commands, version);
  const two = commands.find(c => c.name === `${first} ${second ?? ''}`);
  if (two !== undefined) return { command: await two.load(), argv: argv.slice(2) };
  const group = commands.filter(c => c.name.startsWith(`${first} `));
  if (group.length > 0) {
    if (second === undefined || second.startsWith('-')) return groupHelp(first, group);
    throw unknown(`${first} ${second}`, group);
  }
  const entry = commands.find(c => c.name === first);
  if (entry === undefined) throw unknown(first, commands);
  return { command: await entry.load(), argv: argv.slice(1) };
}

function unknown(word: string, commands: readonly CommandEntry[]): PipeError {
  const words = new Set(commands.flatMap(c => [c.name, c.name.split(' ')[0] as string]));
  const version = /^-*v(ersion)?$/i.test(word) ? 'did you mean "--version"?' : undefined;
  const file = /[./]/.test(word) ? `to run a file: pipe run ${word}` : undefined;
  return new PipeError('user.usage.unknown_command', `pipe has no command "${word}"`, { hint: version ?? file ?? didYouMean(word, words) ?? 'pipe --help lists the commands' });
}

/** Runs a command line; the exit code. Problems are thrown. */
export async function dispatch(argv: readonly string[], io: Io, commands: readonly CommandEntry[], version: () => string): Promise<number> {
  const found = await findCommand(argv, commands, version);
  if (typeof found === 'string') {
    io.out.write(found);
    return 0;
  }
  const { command } = found;
  if (wantsHelp(found.argv)) {
    io.out.write(commandHelp(command));
    return 0;
  }
  return command.run(parseCommandLine(command, found.argv), io);
}

function wantsHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).some(a => a === '--help' || a === '-h');
}
