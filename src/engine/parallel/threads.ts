import type { MessagePort, Worker } from 'node:worker_threads';
import { PipeError } from '../../errors.ts';
import type { Answer, Command } from './messages.ts';

/** Begins a thread that says `begun` once it has its plan, and then answers as a Member. */
export type Spawn = () => Worker;

/** Threads that load and compile at once, so that another can go on with the work until it is theirs. */
export class Threads {
  /** Until each has its plan. Rejects with what kept one from it. */
  readonly begun: Promise<void>;
  readonly count: number;
  readonly #workers: readonly Worker[];
  #heard: (thread: number, a: Answer) => void = () => undefined;
  #failed: (error: unknown) => void = () => undefined;
  #closed = false;

  constructor(count: number, spawn: Spawn) {
    this.count = count;
    this.#workers = Array.from({ length: count }, spawn);
    this.begun = new Promise((done, reject) => {
      let waiting = count;
      this.#failed = reject;
      if (count === 0) done();
      this.#workers.forEach((w, i) => {
        w.on('message', (a: Answer) => {
          if (a.k === 'failed') this.#failed(errorOf(a));
          else if (a.k !== 'begun') this.#heard(i, a);
          else if (--waiting === 0) done();
        });
        w.on('error', error => this.#failed(error));
        w.on('exit', code => { if (!this.#closed) this.#failed(new Error(`thread ${i + 1} ended with code ${code}`)); });
      });
    });
    this.begun.catch(() => undefined);
  }

  /** Who is told from now on what they answer, and that one of them has failed. */
  listen(heard: (thread: number, a: Answer) => void, failed: (error: unknown) => void): void {
    this.#heard = heard;
    const before = this.#failed;
    this.#failed = error => { before(error); failed(error); };
  }

  tell(thread: number, c: Command, moved?: readonly MessagePort[]): void { (this.#workers[thread] as Worker).postMessage(c, moved); }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#workers.map(w => w.terminate()));
  }
}

/** What a member says of its failure. */
export function errorOf(a: Extract<Answer, { readonly k: 'failed' }>): Error {
  if (a.code !== null) return new PipeError(a.code, a.message, { hint: a.hint, retriable: a.retriable });
  const error = new Error(a.message);
  if (a.stack !== undefined) error.stack = a.stack;
  return error;
}
