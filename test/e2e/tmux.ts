import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { unique } from '../unique.ts';
import { main } from './project.ts';

const found = (process.env['PATH'] ?? '').split(delimiter).some(folder => existsSync(join(folder, 'tmux')));
const MISSING = 'tests of the live view need a terminal: install the package tmux';

/** Why there is no test in a terminal here; null: there is one. Where all tools are required, its absence is an error. */
export function noTmux(): string | null {
  if (found) return null;
  if (process.env['PIPE_REQUIRE_BROWSER'] === '1') throw new Error(MISSING);
  process.stderr.write(`skipped: ${MISSING}\n`);
  return MISSING;
}

/** A terminal of its own, in a tmux server of its own, with a shell that knows the built command as `pipe`. */
export class Terminal {
  readonly #socket = unique('pipe');

  constructor(cwd: string, o: { readonly columns: number; readonly rows: number; readonly env?: Readonly<Record<string, string>> }) {
    const { PIPE_BROKERS, PIPE_DATA_DIR, NO_COLOR, FORCE_COLOR, TMUX, ...env } = process.env;
    this.#tmux(['new-session', '-d', '-x', String(o.columns), '-y', String(o.rows), '-c', cwd, 'sh'], { ...env, PS1: '$ ', LC_ALL: 'C.UTF-8', ...o.env });
    this.type(`pipe() { '${process.execPath}' '${main}' "$@"; }; clear`);
  }

  /** A line for the shell. */
  type(line: string): void { this.#tmux(['send-keys', line, 'Enter']); }
  key(key: string): void { this.#tmux(['send-keys', key]); }
  resize(columns: number, rows: number): void { this.#tmux(['resize-window', '-x', String(columns), '-y', String(rows)]); }

  /** What is on the screen, a string a row of it; with `history` also what has left it. */
  screen(o: { readonly history?: boolean } = {}): string[] { return this.#capture(o.history === true ? ['-S', '-'] : []); }
  /** The same with what a program wrote as one line in one string, however many rows it takes. */
  lines(): string[] { return this.#capture(['-J', '-S', '-']); }
  /** With the codes of colours. */
  coloured(): string { return this.#capture(['-e', '-S', '-']).join('\n'); }

  /** Waits until the screen is as wanted; gives it. */
  async until(met: (screen: readonly string[]) => boolean, ms = 20_000): Promise<string[]> {
    for (const end = performance.now() + ms; ;) {
      const screen = this.screen();
      if (met(screen)) return screen;
      if (performance.now() > end) throw new Error(`waited in vain; the screen:\n${screen.join('\n')}`);
      await new Promise(r => setTimeout(r, 30));
    }
  }

  end(): void { this.#tmux(['kill-server']); }

  #capture(args: readonly string[]): string[] { return this.#tmux(['capture-pane', '-p', ...args]).split('\n').map(l => l.trimEnd()); }
  #tmux(args: readonly string[], env: NodeJS.ProcessEnv = process.env): string { return execFileSync('tmux', ['-L', this.#socket, '-f', '/dev/null', ...args], { env, encoding: 'utf8', timeout: 10_000 }); }
}
