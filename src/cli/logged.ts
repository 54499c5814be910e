import type { Sinkable } from './command.ts';
import type { Board } from './messages.ts';

const EVERY_MS = 10_000;

/** Where stderr is no terminal: lines every ten seconds. */
export class Logged implements Board {
  readonly #timer: NodeJS.Timeout;

  constructor(err: Sinkable, lines: () => readonly string[]) {
    this.#timer = setInterval(() => { for (const l of lines()) err.write(`${l}\n`); }, EVERY_MS);
    this.#timer.unref();
  }

  above(print: () => void): void { print(); }
  stop(): void { clearInterval(this.#timer); }
}
