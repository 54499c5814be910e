import { PipeError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import type { Command } from './command.ts';
import { bashScript } from './completion-bash.ts';
import { fishScript } from './completion-fish.ts';
import { completionTable, type CompletedCommand } from './completion-table.ts';
import { zshScript } from './completion-zsh.ts';
import type { CommandEntry } from './help.ts';

const SCRIPTS: Readonly<Record<string, (table: readonly CompletedCommand[]) => string>> = { bash: bashScript, zsh: zshScript, fish: fishScript };
const SHELLS = Object.keys(SCRIPTS);

/** `entries`: all commands of pipe. */
export const completion = (entries: readonly CommandEntry[]): Command => ({
  name: 'completion',
  summary: 'prints a script that completes commands, flags, pipelines and topics in a shell',
  usage: SHELLS.join('|'),
  examples: [
    ['source <(npx pipe completion bash)', 'in ~/.bashrc'],
    ['source <(npx pipe completion zsh)', 'in ~/.zshrc, after compinit'],
    ['npx pipe completion fish | source', 'in ~/.config/fish/config.fish'],
  ],
  flags: [],
  notes: ['It completes the words pipe and sqlpipe, however they are found. --json: what it knows.'],
  run: async (p, io) => {
    const [shell, more] = p.args;
    if (p.has('json')) {
      io.out.write(`${JSON.stringify({ v: 1, commands: await completionTable(entries) })}\n`);
      return 0;
    }
    const script = shell === undefined || !SHELLS.includes(shell) ? undefined : SCRIPTS[shell];
    if (shell === undefined) throw new PipeError('user.usage.missing_argument', 'pipe completion needs the name of a shell', { hint: `pipe completion ${SHELLS.join('|')}` });
    if (script === undefined || more !== undefined) throw new PipeError('user.usage.bad_value', `pipe completion takes one of ${SHELLS.join(', ')}, not "${more ?? shell}"`, { hint: didYouMean(shell, SHELLS) });
    io.out.write(script(await completionTable(entries)));
    return 0;
  },
});
