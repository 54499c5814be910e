import type { SinkSpec } from '../config/spec.ts';
import type { Batch } from '../engine/batch.ts';
import { ByteWriter } from '../engine/bytes.ts';
import type { Output } from '../engine/operator.ts';
import type { Encoder } from '../formats/format.ts';

/** Rows that are remembered of each sink. */
const ROWS = 3;

/** The newest rows of each sink, as they were sent, for a view that shows them; known once their epoch is committed. */
export class LastRows {
  readonly #sinks: { readonly pipeline: string; readonly topic: string; pushed: string[]; shown: string[] }[] = [];
  readonly #text = new ByteWriter(1024);

  tap(pipeline: string, sink: SinkSpec, encoder: Encoder): Output {
    const rows = { pipeline, topic: sink.topic, pushed: [] as string[], shown: [] as string[] };
    this.#sinks.push(rows);
    return { push: b => { rows.pushed = [...rows.pushed, ...this.#last(b, encoder)].slice(-ROWS); }, watermark: () => undefined, finish: () => undefined };
  }

  committed(pipeline: string): void {
    for (const s of this.#sinks) {
      if (s.pipeline !== pipeline || s.pushed.length === 0) continue;
      s.shown = s.pushed;
      s.pushed = [];
    }
  }

  lines(): string[] { return this.#sinks.flatMap(s => s.shown.map(row => `→ ${s.topic}  ${row}`)); }

  #last(b: Batch, encoder: Encoder): string[] {
    const texts: string[] = [];
    for (let i = Math.max(0, b.length - ROWS); i < b.length; i++) {
      this.#text.reset();
      encoder.value(b, i, this.#text);
      texts.push(Buffer.from(this.#text.buf.subarray(0, this.#text.pos)).toString());
    }
    return texts;
  }
}
