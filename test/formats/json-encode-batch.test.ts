import { describe, expect, it } from 'vitest';
import { newColumn, type Batch, type Column } from '../../src/engine/batch.ts';
import { ByteWriter } from '../../src/engine/bytes.ts';
import { RowError } from '../../src/errors.ts';
import type { EncoderOptions, RecordSink } from '../../src/formats/format.ts';
import { putDecimal, putInteger } from '../../src/formats/json/encode-digits.ts';
import { JsonEncoder } from '../../src/formats/json/encode.ts';
import { BIGINT, BOOLEAN, BYTES, DATE, DOUBLE, FLOAT, INT, INTERVAL, SMALLINT, STRING, TIME, TIMESTAMP, TIMESTAMP_LTZ, decimal, reprOf, type Schema, type SqlType, type Value } from '../../src/sql/types.ts';
import { TextColumn, textBytes, writeWtf8 } from '../../src/sql/values/text-column.ts';
import { GENERATED, JIT } from '../no-codegen.ts';
import { random, rounds, seed } from './support.ts';

/** Keys and values, and the rows that failed. */
class Collected implements RecordSink {
  readonly records: (readonly [key: string | null, value: string])[] = [];
  readonly failures: (readonly [row: number, message: string])[] = [];
  readonly #most: number;
  #out = new ByteWriter(1);
  #key: string | null = null;

  /** Values above `most` bytes are refused. */
  constructor(most = Infinity) { this.#most = most; }

  begin(key: Uint8Array, from: number, to: number): ByteWriter {
    this.#key = from < 0 ? null : Buffer.from(key.slice(from, to)).toString('latin1');
    // now and then another buffer, as partitions have
    if (this.records.length % 3 === 0) this.#out = new ByteWriter(1);
    this.#out.reset();
    return this.#out;
  }

  end(): void {
    if (this.#out.pos > this.#most) throw new RowError('user.data.output_too_large', 'too large');
    this.records.push([this.#key, this.#out.buf.toString('latin1', 0, this.#out.pos)]);
  }

  failed(_b: Batch, i: number, error: unknown): void {
    if (!(error instanceof RowError)) throw error;
    this.failures.push([i, error.message]);
  }
}

function asBytes(texts: readonly unknown[]): TextColumn {
  const all = texts.map(t => (typeof t === 'string' ? t : ''));
  const bytes = Buffer.alloc(textBytes(all.reduce((n, t) => n + t.length, 0)));
  const start = new Int32Array(all.length);
  const end = new Int32Array(all.length);
  let p = 0;
  all.forEach((t, i) => { start[i] = p; end[i] = p = writeWtf8(t, bytes, p); });
  return new TextColumn(bytes, start, end, null);
}

function batchOf(schema: Schema, rows: readonly (readonly (Value | null)[])[], textsAsBytes: boolean): Batch {
  const cols: Column[] = schema.map(f => newColumn(f.type, rows.length));
  const nulls = schema.map(() => new Uint8Array(rows.length));
  rows.forEach((row, i) => row.forEach((v, c) => {
    if (v === null) (nulls[c] as Uint8Array)[i] = 1;
    else (cols[c] as unknown[])[i] = typeof v === 'boolean' ? Number(v) : v;
  }));
  const held = cols.map((column, c) => (textsAsBytes && reprOf((schema[c] as Schema[number]).type) === 'text' ? asBytes(column as unknown[]) : column));
  return { schema, length: rows.length, cols: held, nulls: nulls.map(n => (n.includes(1) ? n : null)), wm: null, origin: null };
}

const DEFAULTS: EncoderOptions = { timestamps: 'epoch_ms', decimals: 'number', key: [] };

function encode(schema: Schema, options: EncoderOptions, batches: readonly Batch[], jit: boolean, most?: number): Collected {
  const encoder = new JsonEncoder(schema, { ...options, jit });
  const out = new Collected(most);
  for (const b of batches) encoder.encode(b, out);
  return out;
}

describe(`the loop of a schema, FORMATS_SEED=${seed}`, () => {
  const next = random(seed + 2);
  const int = (n: number): number => Math.floor(next() * n);
  const oneOf = <T>(list: readonly T[]): T => list[int(list.length)] as T;
  const wide = (digits: number): number | bigint => {
    const v = BigInt(Array.from({ length: 1 + int(digits) }, () => int(10)).join('')) * (next() < 0.5 ? 1n : -1n);
    return v >= -9007199254740991n && v <= 9007199254740991n ? Number(v) : v;
  };
  const chars = ['a', 'Z', '"', '\\', '\n', '\0', '\u007f', 'é', '😀', '\ud800', '\u2028', ' ', '0'];
  const text = (): string => {
    const from = next() < 0.6 ? ['a', 'b', '7'] : chars;
    return Array.from({ length: int(next() < 0.1 ? 300 : 40) }, () => oneOf(from)).join('');
  };
  const times = [0, -1, 1_704_110_400_000, 1_704_110_410_000, 8_640_000_000_000_000, -8_640_000_000_000_000];
  const kinds: readonly (() => [SqlType, () => Value])[] = [
    () => [STRING, text],
    () => [STRING, text],
    () => [BIGINT, () => wide(19)],
    () => [INT, () => int(2 ** 32) - 2 ** 31],
    () => [SMALLINT, () => int(20) - 10],
    () => [INTERVAL, () => int(1e12) - 5e11],
    () => { const p = 1 + int(38); return [decimal(p, int(p + 1)), () => (p <= 15 ? Number(wide(p)) : wide(p))]; },
    () => [DOUBLE, () => oneOf([1.5, 0, -0, 1e300, 5000, ...(next() < 0.1 ? [NaN, Infinity] : [])])],
    () => [FLOAT, () => Math.fround(int(1e6) / 1000)],
    () => [BOOLEAN, () => next() < 0.5],
    () => [BYTES, () => Uint8Array.from({ length: int(10) }, () => int(256))],
    () => [DATE, () => int(40_000) - 20_000],
    () => [TIME, () => int(86_400_000)],
    () => [TIMESTAMP, () => (next() < 0.8 ? oneOf(times) : int(4e12) - 2e12)],
    () => [TIMESTAMP_LTZ, () => oneOf(times)],
  ];

  it.runIf(GENERATED)('writes what closures write, byte for byte, and fails where they fail', () => {
    let failures = 0;
    for (let n = 0; n < rounds(400); n++) {
      const makers = Array.from({ length: int(9) }, () => oneOf(kinds)());
      const schema: Schema = makers.map(([type], i) => ({ name: `${Array.from({ length: int(20) }, () => oneOf(chars)).join('')}${i}`, type, nullable: true }));
      const batches = Array.from({ length: 3 }, () => {
        const nulls = next() < 0.5 ? 0 : 0.2;
        const rows = Array.from({ length: int(30) }, () => makers.map(([, make]) => (next() < nulls ? null : make())));
        return batchOf(schema, rows, next() < 0.5);
      });
      const columns = schema.map((_f, c) => c);
      const options: EncoderOptions = { timestamps: oneOf(['epoch_ms', 'iso']), decimals: oneOf(['number', 'string']), key: columns.length === 0 || next() < 0.2 ? [] : next() < 0.7 ? [oneOf(columns)] : [oneOf(columns), oneOf(columns)] };
      const most = next() < 0.3 ? 200 : undefined;
      const wanted = encode(schema, options, batches, false, most);
      const got = encode(schema, options, batches, true, most);
      expect(got.records, `seed ${seed}, round ${n}`).toEqual(wanted.records);
      expect(got.failures, `seed ${seed}, round ${n}`).toEqual(wanted.failures);
      failures += got.failures.length;
    }
    expect(failures).toBeGreaterThan(0);
  });

  it('goes on after a row that is too large, or that JSON cannot hold', () => {
    const schema: Schema = [{ name: 'k', type: INT, nullable: false }, { name: 'x', type: DOUBLE, nullable: false }, { name: 't', type: STRING, nullable: false }];
    const rows: Value[][] = [[1, 1.5, 'a'], [2, NaN, 'b'], [3, 2.5, 'c'.repeat(100)], [4, 3.5, 'd']];
    for (const jit of JIT) {
      const { records, failures } = encode(schema, { ...DEFAULTS, key: [0] }, [batchOf(schema, rows, false)], jit, 50);
      expect(records).toEqual([['1', '{"k":1,"x":1.5,"t":"a"}'], ['4', '{"k":4,"x":3.5,"t":"d"}']]);
      expect(failures).toEqual([[1, 'NaN is a DOUBLE that JSON cannot hold'], [2, 'too large']]);
    }
  });

  it('a key that cannot be written fails its row', () => {
    const schema: Schema = [{ name: 'x', type: DOUBLE, nullable: false }];
    for (const jit of JIT) {
      const { records, failures } = encode(schema, { ...DEFAULTS, key: [0] }, [batchOf(schema, [[1], [Infinity], [2]], false)], jit);
      expect(records.map(r => r[0])).toEqual(['1.0', '2.0']);
      expect(failures.map(f => f[0])).toEqual([1]);
    }
  });

  it('throws what is no RowError', () => {
    const schema: Schema = [{ name: 'x', type: STRING, nullable: false }];
    const broken = { ...batchOf(schema, [['a']], false), cols: [[undefined]] } as unknown as Batch;
    for (const jit of JIT) expect(() => encode(schema, DEFAULTS, [broken], jit)).toThrow(TypeError);
  });
});

describe('digits', () => {
  const b = Buffer.alloc(40);
  const integer = (v: number): string => b.toString('latin1', 0, putInteger(b, 0, v));

  it('are those of String', () => {
    const next = random(seed + 3);
    const edges = Array.from({ length: 16 }, (_, n) => [10 ** n - 1, 10 ** n, 10 ** n + 1]).flat().filter(Number.isSafeInteger);
    for (const v of [0, Number.MAX_SAFE_INTEGER, 2 ** 31, 2 ** 32, ...edges, ...Array.from({ length: 20_000 }, () => Math.floor(next() * 10 ** (1 + Math.floor(next() * 15))))]) {
      expect(integer(v)).toBe(String(v));
      expect(integer(-v)).toBe(v === 0 ? '0' : String(-v));
    }
  });

  it('have a point before the last ones', () => {
    const next = random(seed + 4);
    for (const scale of Array.from({ length: 15 }, (_, n) => n + 1)) {
      const unit = 10 ** scale;
      for (const v of [0, 1, unit - 1, unit, unit + 1, 99 * unit - 1, Number.MAX_SAFE_INTEGER, ...Array.from({ length: 2000 }, () => Math.floor(next() * 10 ** (1 + Math.floor(next() * 15))))]) {
        if (!Number.isSafeInteger(v)) continue;
        const digits = String(v).padStart(scale + 1, '0');
        const wanted = `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
        expect(b.toString('latin1', 0, putDecimal(b, 0, v, scale, unit))).toBe(wanted);
        if (v > 0) expect(b.toString('latin1', 0, putDecimal(b, 0, -v, scale, unit))).toBe(`-${wanted}`);
      }
    }
  });
});
