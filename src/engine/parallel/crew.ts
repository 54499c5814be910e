import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import { PipeError } from '../../errors.ts';
import type { Answer, Command, Opening } from './messages.ts';

/** Begins a thread that answers as a Member; it has its plan already. */
export type Spawn = () => Worker;

/** The worker threads of one pipeline, as the main thread sees them. */
export class Crew {
  readonly count: number;
  readonly #workers: readonly Worker[];
  readonly #answered: (worker: number, a: Answer) => void;
  readonly #ready: Promise<void>;
  #failed: (error: unknown) => void = () => undefined;

  /** Every answer goes to `answered`, a thread that dies to `failed`. */
  constructor(count: number, spawn: Spawn, answered: (worker: number, a: Answer) => void, failed: (error: unknown) => void) {
    this.count = count;
    this.#answered = answered;
    this.#workers = Array.from({ length: count }, spawn);
    this.#ready = new Promise((done, reject) => {
      let waiting = count;
      this.#failed = error => { reject(error); failed(error); };
      this.#workers.forEach((w, i) => {
        w.on('message', (a: Answer) => {
          if (a.k === 'ready') { if (--waiting === 0) done(); }
          else if (a.k === 'failed') this.#failed(errorOf(a));
          else this.#answered(i, a);
        });
        w.on('error', error => this.#failed(error));
        w.on('exit', code => { if (!this.#closed) this.#failed(new Error(`worker ${i} ended with code ${code}`)); });
      });
    });
    this.#ready.catch(() => undefined);
  }

  #closed = false;

  /** Until all have loaded their state. Throws what kept one from it. */
  async open(o: Omit<Opening, 'index' | 'count' | 'peers'>): Promise<void> {
    const ports = channels(this.count);
    ports.forEach((peers, index) => {
      const command: Command = { k: 'open', opening: { ...o, index, count: this.count, peers } };
      (this.#workers[index] as Worker).postMessage(command, peers.filter(p => p !== null));
    });
    await this.#ready;
  }

  tell(worker: number, c: Command): void { (this.#workers[worker] as Worker).postMessage(c); }
  tellAll(c: Command): void { for (const w of this.#workers) w.postMessage(c); }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#workers.map(w => w.terminate()));
  }
}

function errorOf(a: Extract<Answer, { readonly k: 'failed' }>): Error {
  if (a.code !== null) return new PipeError(a.code, a.message, { hint: a.hint, retriable: a.retriable });
  const error = new Error(a.message);
  if (a.stack !== undefined) error.stack = a.stack;
  return error;
}

/** A port from each to each. */
function channels(count: number): (MessagePort | null)[][] {
  const ports = Array.from({ length: count }, () => new Array<MessagePort | null>(count).fill(null));
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const { port1, port2 } = new MessageChannel();
      (ports[a] as (MessagePort | null)[])[b] = port1;
      (ports[b] as (MessagePort | null)[])[a] = port2;
    }
  }
  return ports;
}
