import { isUtf8 } from 'node:buffer';
import type { RecordBatch } from '../engine/records.ts';
import { harmless } from './text-width.ts';

const NEWLINE = Buffer.from('\n');

/** Text, or {"base64": ..} for bytes that are none. */
export type Shown = string | { readonly base64: string } | null;

/** A record as a line of stdout. */
export class Rendering {
  readonly #json: boolean;
  readonly #terminal: boolean;

  /** On a terminal, control characters of data are made visible. */
  constructor(o: { readonly json: boolean; readonly terminal: boolean }) {
    this.#json = o.json;
    this.#terminal = o.terminal;
  }

  line(b: RecordBatch, i: number): Buffer {
    if (this.#json) return Buffer.from(`${JSON.stringify(this.#object(b, i))}\n`);
    const value = bytes(b, b.valueStart[i] as number, b.valueEnd[i] as number) ?? Buffer.alloc(0);
    return this.#terminal ? Buffer.from(`${harmless(value.toString())}\n`) : Buffer.concat([value, NEWLINE]);
  }

  #object(b: RecordBatch, i: number): unknown {
    return {
      topic: b.topic, partition: b.partition, offset: b.offsets[i], timestamp: b.timestamps[i],
      key: shown(bytes(b, b.keyStart[i] as number, b.keyEnd[i] as number)), value: shown(bytes(b, b.valueStart[i] as number, b.valueEnd[i] as number)),
      headers: b.headers(i).map(h => ({ key: h.key, value: shown(h.value) })),
    };
  }
}

const bytes = (b: RecordBatch, from: number, to: number): Buffer | null => (from < 0 ? null : b.data.subarray(from, to));

/** Text where the bytes are UTF-8. */
export function shown(x: Buffer | null): Shown {
  if (x === null) return null;
  return isUtf8(x) ? x.toString() : { base64: x.toString('base64') };
}
