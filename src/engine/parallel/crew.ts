import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Answer, Opening, Order } from './messages.ts';
import type { OwnMember } from './own.ts';
import { errorOf, type Threads } from './threads.ts';

/** The members that share one pipeline, as the loop sees them: the first is on the main thread, each other has a thread of its own. */
export class Crew {
  readonly count: number;
  readonly #own: OwnMember;
  readonly #threads: Threads;
  readonly #ready: Promise<void>;

  /** Every answer goes to `answered`, what ends a member to `failed`. */
  constructor(threads: Threads, own: (answered: (a: Answer) => void) => OwnMember, answered: (worker: number, a: Answer) => void, failed: (error: unknown) => void) {
    this.count = threads.count + 1;
    this.#threads = threads;
    this.#own = own(a => {
      if (a.k === 'failed') failed(errorOf(a));
      else answered(0, a);
    });
    this.#ready = new Promise((done, reject) => {
      let waiting = threads.count;
      threads.listen((thread, a) => {
        if (a.k !== 'ready') answered(thread + 1, a);
        else if (--waiting === 0) done();
      }, error => { reject(error); failed(error); });
    });
    this.#ready.catch(() => undefined);
  }

  /** Until all have loaded their state. Throws what kept one from it. */
  async open(o: Omit<Opening, 'index' | 'count' | 'peers'>): Promise<void> {
    const openings = channels(this.count).map((peers, index) => ({ ...o, index, count: this.count, peers }));
    const [own, ...others] = openings as unknown as [Opening, ...Opening[]];
    others.forEach((opening, thread) => this.#threads.tell(thread, { k: 'open', opening }, opening.peers.filter(p => p !== null)));
    await Promise.all([this.#own.open(own), this.#threads.begun, this.#ready]);
  }

  tell(worker: number, c: Order): void {
    if (worker === 0) this.#own.tell(c);
    else this.#threads.tell(worker - 1, c);
  }

  tellAll(c: Order): void { for (let w = 0; w < this.count; w++) this.tell(w, c); }

  async close(): Promise<void> {
    this.#own.close();
    await this.#threads.close();
  }
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
