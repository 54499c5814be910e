import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const COLUMNS = 100;
const LINES = 30;
const POLL_MS = 200;
/** s after which a command ends by itself, should the tests be killed. */
const LONGEST_S = 600;

export const terminalsWork = spawnSync('tmux', ['-V']).status === 0;

/** Terminals in a tmux of their own: what a command shows in one is what a person would see. */
export class Terminals {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pipe-tmux-'));
  readonly #names: string[] = [];

  /** Starts a command that may go on after this returns. */
  open(command: string, cwd: string, env: NodeJS.ProcessEnv): string {
    const name = `t${this.#names.length}`;
    // a command that has ended leaves its screen
    writeFileSync(join(this.#folder, 'conf'), 'set -g remain-on-exit on\n');
    // tmux knows no status of what ended by a signal; the shell outlives a Ctrl-C to write it down
    const run = `trap : INT; timeout --foreground ${LONGEST_S} bash -c '${command.replaceAll("'", `'\\''`)}'; echo $? > ${this.#statusOf(name)}`;
    this.#tmux(['new-session', '-d', '-s', name, '-x', String(COLUMNS), '-y', String(LINES), '-c', cwd, run], env);
    this.#names.push(name);
    return name;
  }

  /** The lines on it now, without the empty ones at the end. */
  screen(name: string): string[] {
    return this.#tmux(['capture-pane', '-p', '-J', '-t', name]).split('\n').map(l => l.trimEnd()).join('\n').trimEnd().split('\n');
  }

  press(name: string, key: string): void { this.#tmux(['send-keys', '-t', name, key]); }

  /** Exit status of its command, 128 and more for a signal; null while it runs. */
  status(name: string): number | null {
    const written = existsSync(this.#statusOf(name)) ? readFileSync(this.#statusOf(name), 'utf8') : '';
    return written === '' ? null : Number(written);
  }

  /** Waits until `wrong` has nothing to say; what it said last, where that takes too long. */
  async until(wrong: () => string | null, ms: number): Promise<string | null> {
    const end = Date.now() + ms;
    for (;;) {
      const said = wrong();
      if (said === null || Date.now() > end) return said;
      await sleep(POLL_MS);
    }
  }

  /** Ends what still runs. */
  close(): void {
    if (this.#names.length > 0) spawnSync('tmux', ['-S', join(this.#folder, 's'), 'kill-server']);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #statusOf(name: string): string { return join(this.#folder, `${name}.status`); }

  #tmux(args: readonly string[], env: NodeJS.ProcessEnv = process.env): string {
    const r = spawnSync('tmux', ['-S', join(this.#folder, 's'), '-f', join(this.#folder, 'conf'), ...args], { encoding: 'utf8', env, timeout: 10_000 });
    if (r.status !== 0) throw new Error(`tmux ${args[0]}: ${r.stderr}`);
    return r.stdout;
  }
}
