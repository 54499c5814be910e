import type { DecodeColumn, Decoder, DecoderOptions, FormatDef } from '../formats/format.ts';
import { TextColumn } from '../sql/values/text-column.ts';
import { newBatch, perColumn, type Batch } from './batch.ts';
import type { RecordBatch } from './records.ts';

/** Of so many slices in a row that could not be shared, … */
const TRIES = 32;
/** … as many are not tried, before the next. */
const REST = 256;

type Bad = Parameters<Decoder['decode']>[3];

/**
 * Formats whose decoders of one topic scan records once, for all pipelines of the process that get the same batch: the first to
 * come decodes the columns of all of them, the others take theirs from it. A slice with a record that is bad for anyone is decoded by
 * each for itself, so that what is bad for whom, and why, is not another's matter.
 */
export function sharingFormats(formats: { find(name: string): FormatDef | undefined }): { find(name: string): FormatDef | undefined } {
  const scans = new Map<string, SharedScan>();
  return {
    find: name => {
      const def = formats.find(name);
      const make = def?.decoder?.bind(def);
      if (def === undefined || make === undefined) return def;
      const decoder = (columns: readonly DecodeColumn[], options: DecoderOptions): Decoder => {
        const key = JSON.stringify([name, options]);
        let scan = scans.get(key);
        if (scan === undefined) scans.set(key, (scan = new SharedScan(all => make(all, options))));
        return scan.join(columns);
      };
      return { ...def, decoder };
    },
  };
}

interface Slice {
  readonly to: number;
  /** The records' bytes, on which texts of the batch may lie. */
  readonly data: Buffer;
  /** All columns; null when somebody cannot read it. */
  readonly batch: Batch | null;
  /** How many are still to come for it. */
  readers: number;
}

/** Decoders of one format, topic and options. */
class SharedScan {
  readonly #make: (columns: readonly DecodeColumn[]) => Decoder;
  readonly #columns: DecodeColumn[] = [];
  readonly #places = new Map<string, number>();
  readonly #slices = new WeakMap<RecordBatch, Map<number, Slice>>();
  #decoder: Decoder | null = null;
  #failures = 0;
  #rest = 0;

  constructor(make: (columns: readonly DecodeColumn[]) => Decoder) { this.#make = make; }

  join(columns: readonly DecodeColumn[]): Decoder {
    this.#decoder = null;
    const places = columns.map(c => this.#place(c));
    const schema = columns.map(c => c.field);
    let own: Decoder | null = null;
    return {
      decode: (records, from, to, bad) => {
        const all = (records.readers ?? 1) > 1 ? this.#take(records, from, to) : null;
        if (all === null) return (own ??= this.#make(columns)).decode(records, from, to, bad);
        return { ...all, schema, cols: perColumn(places, p => all.cols[p] as Batch['cols'][number]), nulls: perColumn(places, p => all.nulls[p] ?? null) };
      },
    };
  }

  /** The column for all who read a field in the same way; its name is nobody's. */
  #place(c: DecodeColumn): number {
    const { field: { type, nullable }, ...how } = c;
    const key = JSON.stringify([type, nullable, how]);
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.#columns.push(c) - 1;
      this.#places.set(key, place);
    }
    return place;
  }

  #take(records: RecordBatch, from: number, to: number): Batch | null {
    let slices = this.#slices.get(records);
    if (slices === undefined) this.#slices.set(records, (slices = new Map<number, Slice>()));
    let slice = slices.get(from);
    if (slice === undefined) {
      slice = { to, data: records.data, batch: this.#decode(records, from, to), readers: records.readers ?? 1 };
      slices.set(from, slice);
    }
    if (--slice.readers === 0) slices.delete(from);
    // who is left behind by the others has a copy of the records (shared-source.ts)
    return slice.to === to && slice.data === records.data ? slice.batch : null;
  }

  /** A copy, because decoders use their arrays again. */
  #decode(records: RecordBatch, from: number, to: number): Batch | null {
    if (this.#rest > 0) {
      this.#rest--;
      return null;
    }
    let failed = false;
    const noted: Bad = () => { failed = true; };
    const batch = (this.#decoder ??= this.#make(this.#columns)).decode(records, from, to, noted);
    this.#failures = failed ? this.#failures + 1 : 0;
    if (this.#failures === TRIES) {
      this.#failures = 0;
      this.#rest = REST;
    }
    return failed ? null : copy(batch);
  }
}

/** The records' own bytes last as long as all are given the batch. */
function copy(b: Batch): Batch {
  const n = b.length;
  const origin = b.origin as NonNullable<Batch['origin']>;
  const cols = perColumn(b.cols, c => (c instanceof TextColumn ? c.copy(n, origin.records.data) : c.slice(0, n)));
  return newBatch(b.schema, n, cols, perColumn(b.nulls, c => c?.slice(0, n) ?? null), b.wm, { records: origin.records, rows: origin.rows.slice(0, n) });
}
