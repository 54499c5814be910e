import type { Code, Span } from '../errors.ts';
import type { Batch } from './batch.ts';
import type { Output } from './operator.ts';
import { withoutRows } from './pick-rows.ts';
import type { SinkCounts } from './ports.ts';

/** Stands between the outbox and the books: a tap on a sink gets the rows that the outbox took, not those that it refused. */
export class Taps implements SinkCounts {
  readonly #taps: ReadonlyMap<string, Output>;
  readonly #counts: SinkCounts;
  /** Rows of the batch at hand that were refused. */
  readonly #refused: number[] = [];

  /** `taps` by sink. */
  constructor(taps: ReadonlyMap<string, Output>, counts: SinkCounts) {
    this.#taps = taps;
    this.#counts = counts;
  }

  rowsOut(sink: string, n: number): void { this.#counts.rowsOut(sink, n); }

  failed(sink: string, b: Batch, i: number, code: Code, message: string, at: Span | null): void {
    this.#refused.push(i);
    this.#counts.failed(sink, b, i, code, message, at);
  }

  /** The sinks' outputs with their taps. */
  outputs(outputs: ReadonlyMap<string, Output>): ReadonlyMap<string, Output> {
    return new Map([...outputs].map(([sink, output]) => {
      const tap = this.#taps.get(sink);
      return [sink, tap === undefined ? output : new Tapped(output, tap, this.#refused)];
    }));
  }
}

class Tapped implements Output {
  readonly #output: Output;
  readonly #tap: Output;
  readonly #refused: number[];

  constructor(output: Output, tap: Output, refused: number[]) {
    this.#output = output;
    this.#tap = tap;
    this.#refused = refused;
  }

  push(b: Batch): void {
    this.#refused.length = 0;
    this.#output.push(b);
    this.#tap.push(this.#refused.length === 0 ? b : withoutRows(b, this.#refused));
  }

  watermark(ms: number): void {
    this.#output.watermark(ms);
    this.#tap.watermark(ms);
  }

  finish(): void {
    this.#output.finish();
    this.#tap.finish();
  }
}
