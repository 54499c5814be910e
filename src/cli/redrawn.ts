import type { Sinkable } from './command.ts';
import { width } from './text-width.ts';

/** ms between two looks at what stands on a terminal: at most four a second. */
export const REDRAW_MS = 250;
/** What runs long shows how it goes from then on, ms. */
export const PATIENCE_MS = 1000;

/** Lines at the bottom of a terminal, drawn again in place. */
export class Redrawn {
  readonly #err: Sinkable;
  #drawn: readonly string[] = [];

  constructor(err: Sinkable) { this.#err = err; }

  /** One write: nobody sees the gap. */
  draw(lines: readonly string[]): void {
    const erasure = this.#erasure();
    this.#drawn = lines;
    this.#err.write(`${erasure}${lines.join('\n')}\n`);
  }

  erase(): void {
    if (this.#drawn.length > 0) this.#err.write(this.#erasure());
  }

  /**
   * What takes the lines away. The terminal may have been made narrower since: what was one line is then several. The first of them is
   * cleared alone: tmux and others keep a screen that is cleared from its upper left corner as history, and the lines may begin there.
   */
  #erasure(): string {
    if (this.#drawn.length === 0) return '';
    const columns = Math.max(1, this.#err.columns);
    const height = this.#drawn.reduce((n, l) => n + Math.max(1, Math.ceil(width(l) / columns)), 0);
    this.#drawn = [];
    return `\u001b[${height}A\r\u001b[K\u001b[B\u001b[J\u001b[A`;
  }
}
