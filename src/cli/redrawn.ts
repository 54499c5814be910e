import type { Sinkable } from './command.ts';
import type { Board } from './messages.ts';
import { width } from './text-width.ts';

/** ms between two looks at what stands on a terminal: at most four a second. */
const REDRAW_MS = 250;
/** What runs long shows how it goes from then on, ms. */
export const PATIENCE_MS = 1000;
const MOST_COLUMNS = 80;

/** Lines at the bottom of a terminal, drawn again in place four times a second. */
export class Redrawn implements Board {
  readonly #err: Sinkable;
  readonly #lines: (columns: number) => readonly string[] | null;
  readonly #timer: NodeJS.Timeout;
  #drawn: readonly string[] = [];

  /** `lines`: of at most so many columns; null: as they are. Nothing is shown for the first `patience` ms. */
  constructor(err: Sinkable, lines: (columns: number) => readonly string[] | null, patience: number) {
    this.#err = err;
    this.#lines = lines;
    const from = performance.now() + patience;
    this.#timer = setInterval(() => { if (performance.now() >= from) this.draw(); }, REDRAW_MS);
    this.#timer.unref();
  }

  /** In one write: nobody sees the gap. */
  draw(): void {
    // the cursor stands behind and below them
    const lines = this.#lines(Math.min(MOST_COLUMNS, this.#err.columns - 1))?.slice(0, Math.max(1, this.#err.rows - 1));
    if (lines === undefined) return;
    const erasure = this.#erasure();
    this.#drawn = lines;
    this.#err.write(`${erasure}${lines.join('\n')}\n`);
  }

  above(print: () => void): void {
    this.#erase();
    print();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#erase();
  }

  #erase(): void {
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
