import { setImmediate } from 'node:timers/promises';

/** Wakes the one who waits; a ring that nobody waits for is kept. */
export class Bell {
  #rung = false;
  #wake: (() => void) | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** performance.now() at which the timer rings. */
  #due = Infinity;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Until it rings, at the latest in `ms`, perhaps earlier; messages and timers have had their turn then. */
  async wait(ms: number): Promise<void> {
    if (this.#rung) await setImmediate();
    else {
      this.#arm(performance.now() + ms);
      await new Promise<void>(done => { this.#wake = done; });
      this.#wake = null;
    }
    this.#rung = false;
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#due = Infinity;
  }

  /** A timer that rings in time is left as it is: it is rarely waited for. */
  #arm(due: number): void {
    if (this.#due <= due) return;
    this.stop();
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#due = Infinity;
      this.ring();
    }, due - performance.now());
  }
}
