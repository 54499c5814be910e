import { availableParallelism } from 'node:os';
import { setEnvironmentData } from 'node:worker_threads';
import type { Backlog, Load } from '../../src/engine/parallel/scaling.ts';

const others = Math.min(availableParallelism(), 4) - 1;

/** As if a backlog came twice in a run, and was done in between: threads begin and end in the midst of a stream. */
export class ComeAndGo {
  /** How often they did. */
  came = 0;
  went = 0;
  /** What each run is to begin as a thread. */
  readonly worker = new URL('begun-worker.mjs', import.meta.url);
  readonly #begun = new Int32Array(new SharedArrayBuffer(4));

  constructor() { setEnvironmentData('pipe.test.begun', this.#begun); }

  /** `RunModules.scaling` of one run. */
  scaling(): (began: Load) => Backlog {
    let left = 2;
    return began => {
      let until: number | null = null;
      let here = false;
      return {
        every: 1,
        out: l => {
          // one thread would be done with so little long before others have begun
          if (until !== null) this.#wait(until);
          else if (left > 0 && l.read - began.read >= 60) {
            left--;
            until = (this.#begun[0] as number) + others;
          }
          return until !== null;
        },
        back: l => {
          if (!here) this.came++;
          here = true;
          if (l.read - began.read < 300) return false;
          this.went++;
          return true;
        },
      };
    };
  }

  #wait(until: number): void {
    for (let n = Atomics.load(this.#begun, 0); n < until; n = Atomics.load(this.#begun, 0)) if (Atomics.wait(this.#begun, 0, n, 20_000) === 'timed-out') return;
    // that one of them has ended is heard a little later
    Atomics.wait(this.#begun, 0, until, 20);
  }
}
