import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import { PipeError } from '../../errors.ts';
import type { Answer, Command, Opening, Order } from './messages.ts';
import type { OwnMember } from './own.ts';

/** Begins a thread that answers as a Member; it has its plan already. */
export type Spawn = () => Worker;

/** The members that share one pipeline, as the loop sees them: the first is on the main thread, each other has a thread of its own. */
export class Crew {
  readonly count: number;
  readonly #own: OwnMember;
  readonly #others: readonly Worker[];
  readonly #ready: Promise<void>;
  #failed: (error: unknown) => void = () => undefined;
  #closed = false;

  /** Every answer goes to `answered`, a thread that dies to `failed`. */
  constructor(count: number, spawn: Spawn, own: (answered: (a: Answer) => void) => OwnMember, answered: (worker: number, a: Answer) => void, failed: (error: unknown) => void) {
    this.count = count;
    const heard = (index: number, a: Answer): void => {
      if (a.k === 'failed') this.#failed(errorOf(a));
      else answered(index, a);
    };
    this.#own = own(a => heard(0, a));
    this.#others = Array.from({ length: count - 1 }, spawn);
    this.#ready = new Promise((done, reject) => {
      let waiting = count - 1;
      this.#failed = error => { reject(error); failed(error); };
      this.#others.forEach((w, i) => {
        w.on('message', (a: Answer) => {
          if (a.k !== 'ready') heard(i + 1, a);
          else if (--waiting === 0) done();
        });
        w.on('error', error => this.#failed(error));
        w.on('exit', code => { if (!this.#closed) this.#failed(new Error(`worker ${i + 1} ended with code ${code}`)); });
      });
    });
    this.#ready.catch(() => undefined);
  }

  /** Until all have loaded their state. Throws what kept one from it. */
  async open(o: Omit<Opening, 'index' | 'count' | 'peers'>): Promise<void> {
    const openings = channels(this.count).map((peers, index) => ({ ...o, index, count: this.count, peers }));
    const [own, ...others] = openings as unknown as [Opening, ...Opening[]];
    others.forEach((opening, i) => (this.#others[i] as Worker).postMessage({ k: 'open', opening } satisfies Command, opening.peers.filter(p => p !== null)));
    await Promise.all([this.#own.open(own), this.#ready]);
  }

  tell(worker: number, c: Order): void {
    if (worker === 0) this.#own.tell(c);
    else (this.#others[worker - 1] as Worker).postMessage(c);
  }

  tellAll(c: Order): void { for (let w = 0; w < this.count; w++) this.tell(w, c); }

  async close(): Promise<void> {
    this.#closed = true;
    this.#own.close();
    await Promise.all(this.#others.map(w => w.terminate()));
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
