import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PipeError, type Code } from '../errors.ts';
import type { ProblemAnswer } from './answers.ts';
import { Refusal } from './refusal.ts';
import type { StateRequest } from './state-worker.ts';

/** ms that a question may take, and processes at once, and questions that wait for one. */
const MOST_MS = 5000;
const AT_ONCE = 2;
const MOST_WAITING = 16;
const MOST_ANSWER = 64 << 20;
const HEAP_MB = 512;

/** Asks state files in processes that are killed when they take too long: SQLite cannot be interrupted from outside. */
export class StateProcesses {
  readonly #file: string;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** `file`: what they run. */
  constructor(file: URL) { this.#file = fileURLToPath(file); }

  /** Throws PipeError; 503 where too many ask at once, 422 system.resource.time_limit. */
  async ask<T>(request: StateRequest, signal: AbortSignal): Promise<T> {
    if (this.#running >= AT_ONCE) {
      if (this.#waiting.length >= MOST_WAITING) throw new Refusal(503, 'system.resource.busy', 'too many questions about state at once', 'ask again');
      await new Promise<void>(done => this.#waiting.push(done));
    }
    this.#running++;
    try {
      return await this.#run(request, signal) as T;
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #run(request: StateRequest, signal: AbortSignal): Promise<unknown> {
    const child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MB}`, this.#file], { stdio: ['pipe', 'pipe', 'ignore'] });
    const kill = (): void => { child.kill('SIGKILL'); };
    let late = false;
    const timer = setTimeout(() => { late = true; kill(); }, MOST_MS);
    signal.addEventListener('abort', kill);
    if (signal.aborted) kill();
    try {
      const chunks: Buffer[] = [];
      let bytes = 0;
      child.stdin.on('error', () => undefined).end(JSON.stringify(request));
      child.stdout.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if ((bytes += chunk.length) > MOST_ANSWER) kill();
      });
      const code = await new Promise<number | null>((done, failed) => child.on('error', failed).on('close', done));
      if (late) throw new Refusal(422, 'system.resource.time_limit', `it took longer than ${MOST_MS / 1000} s and was stopped`, 'ask for less: a WHERE, a LIMIT, fewer joins');
      if (code !== 0) throw new Refusal(422, 'system.resource.memory', 'the question needs more memory than it may have', 'ask for less: a WHERE, a LIMIT, fewer joins');
      const { ok, problem } = JSON.parse(Buffer.concat(chunks).toString()) as { readonly ok?: unknown; readonly problem?: ProblemAnswer };
      if (problem !== undefined) throw new PipeError(problem.code as Code, problem.message, { hint: problem.hint ?? undefined });
      return ok;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
    }
  }
}
