import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');
/** The built command, as a user runs it. */
export const main = join(root, 'dist/cli/main.js');

/** Nothing that was started outlives this process. */
const alive = new Set<ChildProcess>();
process.on('exit', () => { for (const child of alive) child.kill('SIGKILL'); });

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
  /** Lines of stdout. */
  readonly lines: readonly string[];
}

/** A project folder of its own with the shipped pipelines; `remove` when done. */
export class Project {
  readonly dir = mkdtempSync(join(tmpdir(), 'pipe-e2e-'));
  readonly #running = new Set<ChildProcess>();

  constructor() { cpSync(join(root, 'pipelines'), join(this.dir, 'pipelines'), { recursive: true }); }

  /** Writes a file below `pipelines/`. */
  write(name: string, text: string): void { writeFileSync(join(this.dir, 'pipelines', name), text); }

  start(args: readonly string[], o: { readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {}): Running {
    const { PIPE_BROKERS, PIPE_DATA_DIR, ...env } = process.env;
    const child = spawn(process.execPath, [main, ...args], { cwd: this.dir, env: { ...env, NO_COLOR: '1', ...o.env }, stdio: ['pipe', 'pipe', 'pipe'] });
    for (const set of [this.#running, alive]) {
      set.add(child);
      child.on('exit', () => set.delete(child));
    }
    return new Running(child, o.input);
  }

  run(args: readonly string[], o: { readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {}): Promise<Finished> { return this.start(args, o).finished; }

  remove(): void {
    for (const child of this.#running) child.kill('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export class Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  out = '';
  err = '';

  constructor(child: ChildProcess, input: string | undefined) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (t: string) => { this.out += t; });
    child.stderr?.setEncoding('utf8').on('data', (t: string) => { this.err += t; });
    // a command may end before it has read its input
    child.stdin?.on('error', () => undefined).end(input ?? '');
    this.finished = new Promise((done, failed) => {
      child.on('error', failed);
      child.on('close', (code, signal) => done({ code, signal, out: this.out, err: this.err, lines: this.out.split('\n').filter(l => l !== '') }));
    });
  }

  kill(signal: NodeJS.Signals): void { this.child.kill(signal); }

  /** Highest resident memory (MB), sampled until it ends; on Linux. */
  async highestMb(): Promise<number> {
    let most = 0;
    const timer = setInterval(() => {
      try {
        const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.child.pid}/status`, 'utf8'));
        most = Math.max(most, Number(found?.[1] ?? 0) / 1024);
      } catch {
        // it has just ended
      }
    }, 20);
    await this.finished;
    clearInterval(timer);
    return most;
  }

  /** Waits until stderr or stdout holds `text`. */
  async until(text: string | ((run: Running) => boolean), ms = 30_000): Promise<void> {
    const met = (): boolean => (typeof text === 'string' ? this.err.includes(text) || this.out.includes(text) : text(this));
    const end = performance.now() + ms;
    while (!met()) {
      if (this.child.exitCode !== null || performance.now() > end) throw new Error(`waited in vain for ${String(text)}; stderr:\n${this.err}\nstdout:\n${this.out.slice(-2000)}`);
      await new Promise(r => setTimeout(r, 10));
    }
  }
}
