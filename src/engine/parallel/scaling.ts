/** Tells when threads are worth beginning for a backlog, and when they have done with it. For one arrangement of the work. */
export interface Backlog {
  /** It is looked at every so many ms. */
  readonly every: number;
  out(l: Load): boolean;
  /** Several have little to do. */
  back(l: Load): boolean;
}

/** How far a pipeline is. */
export interface Load {
  /** performance.now(). */
  readonly now: number;
  /** Records read since the run began. */
  readonly read: number;
  /** Records that are still to be read. */
  readonly lag: number;
  readonly keys: number;
}

/** A rate is known after so many ms: before, code is compiled. */
const KNOWN_MS = 3000;
/** What is left must take so many ms at that rate: threads that begin take half a second of a core. */
const WORTH_MS = 10_000;
/** State with more keys is not moved: what is gained in seconds is little, and each key crosses from thread to thread. */
const MOST_KEYS = 200_000;
/** Caught up: so little is left, */
const LITTLE_MS = 200;
/** and that for so many looks. */
const LOOKS = 4;

/** By what the last seconds have done: a source that stalls is not made faster by threads. */
export class Scaling implements Backlog {
  readonly every = 500;
  /** Looks of the last KNOWN_MS, and the one before them: since the first there was always something to do. */
  #looks: Load[];
  #little = 0;

  constructor(began: Load) { this.#looks = [began]; }

  out(l: Load): boolean {
    if (l.lag === 0) this.#looks = [];
    const rate = this.#rate(l);
    return rate > 0 && l.keys <= MOST_KEYS && l.lag >= rate * WORTH_MS;
  }

  /** For as long as that is sure. */
  back(l: Load): boolean {
    const rate = this.#rate(l);
    this.#little = l.lag <= rate * LITTLE_MS ? this.#little + 1 : 0;
    return this.#little >= LOOKS;
  }

  /** Records per ms; 0 while it is not known, and where the last look saw less than half of it. */
  #rate(l: Load): number {
    const looks = this.#looks;
    const last = looks.at(-1);
    looks.push(l);
    while (looks.length > 2 && l.now - (looks[1] as Load).now >= KNOWN_MS) looks.shift();
    const [first] = looks as [Load];
    if (last === undefined || l.now - first.now < KNOWN_MS) return 0;
    const rate = (l.read - first.read) / (l.now - first.now);
    return (l.read - last.read) / (l.now - last.now) >= rate / 2 ? rate : 0;
  }
}
