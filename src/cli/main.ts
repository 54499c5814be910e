#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { commands } from './commands.ts';
import type { Io, Sinkable } from './command.ts';
import { dispatch } from './dispatch.ts';
import { readKeys } from './keyboard.ts';
import { packageVersion } from './version.ts';

const GLOBAL_VALUE_FLAGS = ['--color', '--data-dir', '--log-format'] as const;

/** Value of a global flag before any command is known: problems of the command line itself are printed as asked for. */
function early(argv: readonly string[], flag: (typeof GLOBAL_VALUE_FLAGS)[number]): string | undefined {
  const at = argv.findIndex(a => a === flag || a.startsWith(`${flag}=`));
  if (at < 0) return undefined;
  const word = argv[at] as string;
  return word.includes('=') ? word.slice(flag.length + 1) : argv[at + 1];
}

/** stdout and stderr as commands see them. */
function sinkable(stream: NodeJS.WriteStream, failed: (error: NodeJS.ErrnoException) => void): Sinkable {
  let closed = false;
  stream.on('error', error => {
    closed = true;
    failed(error);
  });
  return {
    get closed() { return closed; },
    write: text => stream.write(text),
    drained: () => (stream.writableNeedDrain ? new Promise(done => {
      const end = (): void => { stream.off('drain', end).off('close', end); done(); };
      stream.on('drain', end).on('close', end);
    }) : Promise.resolve()),
    get isTTY() { return stream.isTTY === true; },
    get columns() { return stream.columns || 80; },
    get rows() { return stream.rows || 24; },
  };
}

/** The first signal drains; the second ends the process at once. */
function listen(stop: AbortController): (name: keyof typeof CODES) => void {
  const heard = (name: keyof typeof CODES): void => {
    if (stop.signal.aborted) process.exit(CODES[name]);
    stop.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => heard(name));
  return heard;
}

const CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** Keys are ours where stdin and stderr are terminals and this process is the one that the shell waits for: `pipe run ... &` would be stopped by a look at them. */
function keysOf(heard: ReturnType<typeof listen>): Io['keys'] {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true || !inForeground()) return null;
  const control = {
    interrupt: () => heard('SIGINT'),
    suspend: (again: () => void) => {
      process.once('SIGCONT', again);
      process.kill(process.pid, 'SIGTSTP');
    },
  };
  return pressed => readKeys(process.stdin, control, pressed);
}

/** Whether the terminal's process group is ours (proc(5): fields pgrp and tpgid); true where nobody says so. */
function inForeground(): boolean {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8').replace(/^.*\) /s, '').split(' ');
    return fields[2] === fields[5];
  } catch {
    return true;
  }
}

function kill(pid: number, signal: 'SIGTERM'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** npx and `npm run` wait for what they start, so another parent means that they are gone; a shell may leave on purpose. */
function watchParent(): Io['orphaned'] {
  const parent = process.ppid;
  const byNpm = process.env['npm_command'] !== undefined;
  return () => byNpm && process.ppid !== parent;
}

const DISK_FULL = 30;

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const stop = new AbortController();
  const heard = listen(stop);
  const io: Io = {
    out: sinkable(process.stdout, error => {
      // a reader that went away (`| head`) ends the output, not the run
      if (error.code === 'EPIPE') return stop.abort();
      process.stderr.write(`error[system.resource.disk]: stdout cannot be written: ${error.message}\n`);
      process.exit(DISK_FULL);
    }),
    err: sinkable(process.stderr, () => undefined), in: process.stdin,
    env: process.env, cwd: process.cwd(), pid: process.pid, kill, orphaned: watchParent(), keys: keysOf(heard), signal: stop.signal,
  };
  let exit: number;
  try {
    exit = await dispatch(argv, io, commands, packageVersion);
  } catch (error) {
    const [{ report }, renderer] = await Promise.all([import('./report.ts'), import('./render-error.ts')]);
    exit = report(error, io, { json: argv.includes('--json'), logs: early(argv, '--log-format') === 'json', debug: argv.includes('--debug'), color: early(argv, '--color'), dataDir: early(argv, '--data-dir'), argv, version: packageVersion() }, renderer);
  }
  process.exitCode = exit;
  // what keeps the process alive now is a leak (a socket, a timer); output is flushed first
  await Promise.all([io.out.drained(), io.err.drained()]);
  // a failed write is only said after the turn that made it
  await new Promise(done => setImmediate(done));
  process.exit();
}

await main();
