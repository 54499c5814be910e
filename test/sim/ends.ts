import type { OutBlock } from '../../src/state/store.ts';
import type { Positions, Scene } from './scene.ts';

/**
 * What a pipeline with a grouping without a window may send and must have sent, where the input ends several times: each of its rows is
 * one of the result over what was read until then, a group comes again only with more records, and whoever came to an end has sent each
 * group as it was there. Rows have `n`, the number of their records, and mostly a key `k`.
 */
export class Ends {
  readonly #scene: Scene;
  /** `topic value` of each row that an end of the input may send. */
  readonly #rows = new Set<string>();
  readonly #seen = new Set<string>();
  /** Rows that must have come, with the process that has sent them. */
  readonly #wanted = new Map<string, string>();
  /** The largest `n` that came, by topic and key. */
  readonly #newest = new Map<string, number>();
  /** How many came. */
  count = 0;

  constructor(scene: Scene) { this.#scene = scene; }

  /** What a state file holds behind an epoch. */
  epoch({ outbox, positions }: { readonly outbox: readonly OutBlock[]; readonly positions: Positions }): void {
    if (!outbox.some(b => b.topic !== 'dead')) return;
    for (const row of this.#result(positions)) this.#rows.add(row);
  }

  /** A row that readers of the topic see now; what is wrong with it, or null. */
  row(topic: string, value: string): string | null {
    const row = `${topic} ${value}`;
    this.count++;
    this.#seen.add(row);
    if (!this.#rows.has(row)) return `wrong at the end: ${row}`;
    const { k, n } = JSON.parse(value) as { readonly k?: string | null; readonly n: number };
    const group = `${topic} ${JSON.stringify(k)}`;
    const newest = this.#newest.get(group) ?? 0;
    this.#newest.set(group, Math.max(n, newest));
    return n > newest || !this.#scene.exactlyOnce ? null : `doubled: ${row} behind ${newest} records`;
  }

  /** A process has come to the end of the input, which was at `positions`. Where there are faults, its last rows may be readable later only. */
  reached(positions: Positions, process: string): void {
    for (const row of this.#result(positions)) this.#wanted.set(row, process);
  }

  /** What should have come and has not, or null. */
  lost(): string | null {
    for (const [row, process] of this.#wanted) if (!this.#seen.has(row)) return `lost at the end of ${process}: ${row}`;
    return null;
  }

  #result(positions: Positions): string[] { return [...this.#scene.result(positions)].flatMap(([topic, values]) => values.map(v => `${topic} ${v}`)); }
}
