/** Time as the engine sees it; injected, so that tests own it. */
export interface Clock {
  /** Wall clock, epoch ms. */
  now(): number;
  /** Monotonic ms from an arbitrary start: durations do not feel jumps of the wall clock. */
  elapsed(): number;
}

export const systemClock: Clock = { now: () => Date.now(), elapsed: () => performance.now() };
