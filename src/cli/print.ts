import type { SinkSpec } from '../config/spec.ts';
import type { Batch } from '../engine/batch.ts';
import { ByteWriter } from '../engine/bytes.ts';
import type { Output } from '../engine/operator.ts';
import type { Encoder } from '../formats/format.ts';
import { toText } from '../sql/functions/cast/to-text.ts';
import { isNumeric, isTimestamp, typeName, type Schema, type SqlType, type Value } from '../sql/types.ts';
import { plainColumn } from '../sql/values/text-column.ts';
import type { Sinkable } from './command.ts';
import { Table } from './table.ts';

/** Rows of one sink, kept until their epoch is committed. */
interface Printer extends Output {
  /** What was pushed since the last call, as text for stdout. */
  take(): string | Uint8Array;
  end(): string;
}

/** The rows of all sinks of a run on stdout: in tables on a terminal, else one line each, as sent. */
export class Printing {
  readonly #out: Sinkable;
  readonly #above: (print: () => void) => void;
  /** By pipeline. */
  readonly #printers = new Map<string, Printer[]>();
  /** Several printing sinks name their topic in each line. */
  several = false;
  /** Rows wait for somebody to read stdout. */
  unread = false;
  #last: Printer | null = null;

  /** `above` keeps a live view out of the way. */
  constructor(out: Sinkable, above: (print: () => void) => void) {
    this.#out = out;
    this.#above = above;
  }

  tap(pipeline: string, sink: SinkSpec, schema: Schema, encoder: Encoder): Output {
    const printer = this.#out.isTTY ? new TablePrinter(this.several ? sink.topic : null, schema, () => this.#out.columns) : new LinePrinter(this.several ? sink.topic : null, encoder);
    this.#printers.set(pipeline, [...(this.#printers.get(pipeline) ?? []), printer]);
    return printer;
  }

  /** Prints what the committed epoch of a pipeline holds. */
  async flush(pipeline: string): Promise<void> {
    for (const p of this.#printers.get(pipeline) ?? []) {
      const text = p.take();
      if (text.length === 0) continue;
      const before = this.#last !== null && this.#last !== p ? this.#last.end() : '';
      this.#last = p;
      let free = true;
      this.#above(() => { free = (before === '' || this.#out.write(before)) && this.#out.write(text); });
      this.unread = !free;
      if (!free) await this.#out.drained();
      this.unread = false;
    }
  }

  /** The bottom line of the last table. */
  end(): void {
    const text = this.#last?.end() ?? '';
    this.#last = null;
    if (text !== '') this.#out.write(text);
  }
}

class LinePrinter implements Printer {
  readonly #head: string;
  readonly #encoder: Encoder;
  readonly #text = new ByteWriter();

  constructor(topic: string | null, encoder: Encoder) {
    this.#head = topic === null ? '' : `{"topic":${JSON.stringify(topic)},"value":`;
    this.#encoder = encoder;
  }

  push(b: Batch): void {
    const w = this.#text;
    for (let i = 0; i < b.length; i++) {
      w.utf8(this.#head);
      this.#encoder.value(b, i, w);
      w.ascii(this.#head === '' ? '\n' : '}\n');
    }
  }

  watermark(): void {}
  finish(): void {}
  end(): string { return ''; }

  take(): Uint8Array {
    const taken = Buffer.from(this.#text.buf.subarray(0, this.#text.pos));
    this.#text.reset();
    return taken;
  }
}

class TablePrinter implements Printer {
  readonly #title: string;
  readonly #cells: readonly ((v: Value) => string)[];
  readonly #schema: Schema;
  readonly #table: Table;
  #rows: string[][] = [];
  #open = false;

  constructor(topic: string | null, schema: Schema, room: () => number) {
    this.#title = topic === null ? '' : `${topic}\n`;
    this.#schema = schema;
    this.#cells = schema.map(f => cellText(f.type));
    this.#table = new Table(schema.map(f => ({ name: f.name, type: typeName(f.type), right: isNumeric(f.type), whole: isNumeric(f.type) || isTimestamp(f.type) })), room);
  }

  push(b: Batch): void {
    const cols = b.cols.map(c => plainColumn(c, b.length) as Value[]);
    for (let i = 0; i < b.length; i++) {
      this.#rows.push(this.#schema.map((f, c) => {
        if (b.nulls[c]?.[i] === 1) return 'NULL';
        const v = cols[c]?.[i] as Value;
        return (this.#cells[c] as (v: Value) => string)(f.type.k === 'boolean' ? v === 1 : v);
      }));
    }
  }

  watermark(): void {}
  finish(): void {}

  take(): string {
    if (this.#rows.length === 0) return '';
    const text = (this.#open ? '' : this.#title) + this.#table.rows(this.#rows);
    this.#open = true;
    this.#rows = [];
    return text;
  }

  end(): string {
    this.#open = false;
    return this.#table.end();
  }
}

/** As CAST AS STRING prints it, but whole seconds without `.000`. */
function cellText(type: SqlType): (v: Value) => string {
  const text = toText(type);
  return v => {
    const s = String(text.fn(v));
    return isTimestamp(type) && s.endsWith('.000') ? s.slice(0, -4) : s;
  };
}
