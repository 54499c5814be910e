import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PipeError, problemsOf } from '../errors.ts';
import { makeFolders } from '../state/folders.ts';
import type { Io } from './command.ts';
import { logLine } from './messages.ts';
import { projectRoot } from './places.ts';

/** How problems are shown; cli/render-error.ts. */
export interface Renderer {
  renderProblems(problems: readonly PipeError[], o: { readonly color: boolean }): string;
  /** One object of the contract's shape. */
  problemJson(problem: PipeError): unknown;
}

export interface ReportOptions {
  readonly json: boolean;
  /** `--log-format json`. */
  readonly logs: boolean;
  readonly debug: boolean;
  readonly color: string | undefined;
  readonly dataDir: string | undefined;
  readonly argv: readonly string[];
  readonly version: string;
}

/** NO_COLOR and `--color` decide; otherwise colours go to terminals only. */
export function useColor(flag: string | undefined, io: Io): boolean {
  if (flag === 'always') return true;
  if (flag === 'never' || (io.env['NO_COLOR'] ?? '') !== '') return false;
  return io.err.isTTY;
}

/** Prints what stopped a command and returns the exit code. Stack traces go to a file, or to stderr with --debug. */
export function report(error: unknown, io: Io, o: ReportOptions, renderer: Renderer): number {
  const problems = problemsOf(error) ?? [unexpected(error, io, o)];
  if (o.logs) for (const p of problems) io.err.write(`${logLine('error', p.message, renderer.problemJson(p) as object)}\n`);
  else if (o.json) for (const p of problems) io.err.write(`${JSON.stringify(renderer.problemJson(p))}\n`);
  else io.err.write(renderer.renderProblems(problems, { color: useColor(o.color, io) }));
  if (o.debug) io.err.write(`${stack(error)}\n`);
  return (problems[0] as PipeError).exit;
}

function stack(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.stack ?? error.message}${error.cause === undefined ? '' : `\ncaused by ${stack(error.cause)}`}`;
}

function unexpected(error: unknown, io: Io, o: ReportOptions): PipeError {
  const file = writeCrashFile(error, io, o);
  const message = (error instanceof Error ? error.message : String(error)).split('\n')[0];
  return new PipeError('bug.unexpected', `pipe failed in a way that it never should: ${message}`, {
    hint: file === null ? 'please report it, with the output of --debug' : `please report it with ${file}`, cause: error,
  });
}

/** Everything that a report of the bug needs and no value of the environment, since those may be secrets. */
function writeCrashFile(error: unknown, io: Io, o: ReportOptions): string | null {
  const text = `pipe ${o.version}, node ${process.version}, ${process.platform} ${process.arch}, ${new Date().toISOString()}\npipe ${o.argv.join(' ')}\n\n${stack(error)}\n`;
  const data = resolve(io.cwd, o.dataDir ?? (io.env['PIPE_DATA_DIR'] || join(projectRoot(io.cwd), '.pipe')));
  for (const dir of [data, tmpdir()]) {
    try {
      makeFolders(dir);
      const file = join(dir, `crash-${new Date().toISOString().replace(/[:.]/g, '-')}.txt`);
      writeFileSync(file, text, { mode: 0o600 });
      return file;
    } catch {
      // a folder that cannot be written must not hide the error itself
    }
  }
  return null;
}
