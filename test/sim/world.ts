import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import { fractions } from '../random.ts';

/** Epoch ms at which every simulation begins. */
export const BASE = Date.UTC(2024, 0, 1);

/** A process of the simulated world: all that it waits for are events that belong to it. */
export class Actor {
  readonly name: string;
  /** Killed: nothing of it runs any more. */
  dead = false;
  /** Stopped as by SIGSTOP: its events wait. */
  frozen = false;
  /** ms that its wall clock is off. */
  jump = 0;
  held: (() => void)[] = [];

  constructor(name: string) { this.name = name; }
}

/** Thrown where the process of a call has just been killed. */
export class Killed extends Error {}

interface Event {
  readonly at: number;
  readonly owner: Actor | null;
  readonly run: () => void;
  off: boolean;
}

const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout, setImmediate: globalThis.setImmediate, now: performance.now, date: Date.now, sleep: timers.setTimeout, immediate: timers.setImmediate };

const AN_EVENT = Promise.resolve(true);
const NO_EVENT = Promise.resolve(false);

/** Virtual time: one event after the other, in an order that the seed decides, and never two at once. */
export class World {
  /** ms since the beginning. */
  now = 0;
  /** Whose event it is. */
  current: Actor | null = null;
  steps = 0;
  readonly random: () => number;
  readonly #events: Event[] = [];

  constructor(seed: number) {
    // neighbours in seed must not be neighbours in what they give
    this.random = fractions((Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0);
    for (let i = 0; i < 8; i++) this.random();
  }

  /** Whole number in [0, n). */
  pick(n: number): number { return Math.floor(this.random() * n); }
  chance(p: number): boolean { return this.random() < p; }
  one<T>(list: readonly T[]): T { return list[this.pick(list.length)] as T; }
  between(from: number, to: number): number { return from + this.random() * (to - from); }

  /** Runs `work` in `ms`, for a process or for the world. */
  after(ms: number, owner: Actor | null, work: () => void): Event {
    const event: Event = { at: this.now + Math.max(0, ms), owner, run: work, off: false };
    const events = this.#events;
    let i = events.length;
    // the next one is the last; those of one time in order of their making
    while (i > 0 && (events[i - 1] as Event).at <= event.at) i--;
    events.splice(i, 0, event);
    return event;
  }

  /** One event and all that follows from it at once; false when there is none. */
  step(): Promise<boolean> {
    let event = this.#events.pop();
    while (event !== undefined && (event.off || event.owner?.dead === true)) event = this.#events.pop();
    if (event === undefined) return NO_EVENT;
    const { owner, run } = event;
    if (event.at > this.now) this.now = event.at;
    if (owner?.frozen === true) {
      const held = event;
      owner.held.push(() => { if (!held.off) run(); });
      return AN_EVENT;
    }
    this.steps++;
    this.current = owner;
    running = this;
    try {
      run();
    } catch (error) {
      if (!(error instanceof Killed)) return Promise.reject(error as Error);
    }
    // a tick comes behind all promises that this settles, as a turn of the event loop would, which costs a call of the system
    return new Promise(done => { process.nextTick(this.#settled, done); });
  }

  readonly #settled = (done: (more: boolean) => void): void => {
    this.current = null;
    done(true);
  };

  thaw(a: Actor): void {
    a.frozen = false;
    const { held } = a;
    a.held = [];
    for (const run of held) this.after(this.random(), a, run);
  }

  /** Wall clock of the process whose turn it is. */
  wall(): number { return Math.floor(BASE + this.now + (this.current?.jump ?? 0)); }

  /** A timer of the process whose turn it is: never early, a little late mostly, and very late where the machine is busy. */
  timer(ms: number, work: () => void): Event {
    const slack = this.chance(0.02) ? this.between(0, 30) : this.random() * 0.1;
    return this.after((Number.isFinite(ms) ? ms : 1) + slack, this.current, work);
  }
}

/** The world whose event is being run. */
let running: World | null = null;

const timeout = (work: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): unknown => {
  if (running?.current == null) return real.setTimeout(work, ms, ...args);
  const event = running.timer(ms, () => work(...args));
  return Object.assign(event, { unref: () => event, ref: () => event, hasRef: () => true });
};

const clear = (t: unknown): void => {
  if (typeof t === 'object' && t !== null && 'off' in t) (t as Event).off = true;
  else real.clearTimeout(t as NodeJS.Timeout);
};

const sleep = <T>(ms = 0, value?: T, o: { signal?: AbortSignal; ref?: boolean } = {}): Promise<T | undefined> => {
  const world = running;
  if (world?.current == null) return real.sleep(ms, value, o);
  return new Promise((resolve, reject) => {
    const { signal } = o;
    const aborted = (): void => { event.off = true; reject(new Error('aborted')); };
    const event = world.timer(ms, () => { signal?.removeEventListener('abort', aborted); resolve(value); });
    if (signal?.aborted === true) aborted();
    else signal?.addEventListener('abort', aborted, { once: true });
  });
};

const immediate = <T>(value?: T): Promise<T | undefined> => {
  const world = running;
  if (world?.current == null) return real.immediate(value);
  return new Promise(resolve => { world.after(world.random() * 0.2, world.current, () => resolve(value)); });
};

/** The event loop gets its turn: steps never give it one. */
export const turn = (): Promise<void> => new Promise(done => { real.setImmediate(done); });

/** Runs `work` with timers and clocks of this thread taken over: what belongs to a process of a world lives in that world's time. */
export async function virtually<T>(work: () => Promise<T>): Promise<T> {
  Object.assign(globalThis, { setTimeout: timeout, clearTimeout: clear });
  performance.now = () => (running?.current == null ? real.now.call(performance) : running.now);
  Date.now = () => (running?.current == null ? real.date() : running.wall());
  Object.assign(timers, { setTimeout: sleep, setImmediate: immediate });
  syncBuiltinESMExports();
  try {
    return await work();
  } finally {
    Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
    performance.now = real.now;
    Date.now = real.date;
    Object.assign(timers, { setTimeout: real.sleep, setImmediate: real.immediate });
    syncBuiltinESMExports();
  }
}
