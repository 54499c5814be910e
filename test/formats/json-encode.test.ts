import { describe, expect, it } from 'vitest';
import { newColumn, type Batch } from '../../src/engine/batch.ts';
import { ByteWriter } from '../../src/engine/bytes.ts';
import { RowError } from '../../src/errors.ts';
import type { EncoderOptions } from '../../src/formats/format.ts';
import { findFormat, formats } from '../../src/formats/index.ts';
import { JsonEncoder } from '../../src/formats/json/encode.ts';
import { BIGINT, BOOLEAN, BYTES, DATE, DOUBLE, FLOAT, INT, NULL, STRING, TIME, TIMESTAMP, TIMESTAMP_LTZ, decimal, reprOf, type Schema, type SqlType, type Value } from '../../src/sql/types.ts';
import { column, decoders, random, recordsOf, rounds, rowsOf, seed } from './support.ts';

const DEFAULTS: EncoderOptions = { timestamps: 'epoch_ms', decimals: 'number', key: [] };

function batchOf(schema: Schema, rows: readonly (readonly (Value | null)[])[]): Batch {
  const cols = schema.map(f => newColumn(f.type, rows.length));
  const nulls = schema.map(() => new Uint8Array(rows.length));
  rows.forEach((row, i) => row.forEach((v, c) => {
    if (v === null) (nulls[c] as Uint8Array)[i] = 1;
    else (cols[c] as unknown[])[i] = typeof v === 'boolean' ? Number(v) : v;
  }));
  return { schema, length: rows.length, cols, nulls: nulls.map(n => (n.includes(1) ? n : null)), wm: null, origin: null };
}

const schemaOf = (types: Readonly<Record<string, SqlType>>): Schema => Object.entries(types).map(([name, type]) => ({ name, type, nullable: true }));

function encode(types: Readonly<Record<string, SqlType>>, row: readonly (Value | null)[], options: Partial<EncoderOptions> = {}): { value: string; key: string | null } {
  const schema = schemaOf(types);
  const encoder = new JsonEncoder(schema, { ...DEFAULTS, ...options });
  const batch = batchOf(schema, [row]);
  const out = new ByteWriter(1);
  encoder.value(batch, 0, out);
  const value = out.buf.toString('utf8', 0, out.pos);
  out.reset();
  const hasKey = encoder.key(batch, 0, out);
  if (!hasKey) expect(out.pos).toBe(0);
  return { value, key: hasKey ? out.buf.toString('utf8', 0, out.pos) : null };
}

const text = (type: SqlType, v: Value | null, options: Partial<EncoderOptions> = {}): string => encode({ a: type }, [v], options).value.slice('{"a":'.length, -1);

describe('rows of the two pipelines', () => {
  it('are byte for byte as in the mission', () => {
    const balances = { account: STRING, balance: decimal(38, 2), window_start: TIMESTAMP, window_end: TIMESTAMP };
    expect(encode(balances, ['1234', 25000, 1704110400000, 1704110410000], { key: [0] })).toEqual({ value: '{"account":"1234","balance":250.00,"window_start":1704110400000,"window_end":1704110410000}', key: '1234' });
    expect(encode(balances, ['5678', -5000, 1704110400000, 1704110410000]).value).toBe('{"account":"5678","balance":-50.00,"window_start":1704110400000,"window_end":1704110410000}');
    const fraud = { account: BIGINT, total_activity: decimal(38, 2), threshold: decimal(5, 1), alert_type: STRING, message: STRING };
    const message = 'Account 9999 has $7500.00 activity in 1 minute (threshold: $5000.0)';
    expect(encode(fraud, [9999, 750000, 50000, 'HIGH_ACTIVITY', message], { key: [0] })).toEqual({ value: `{"account":9999,"total_activity":7500.00,"threshold":5000.0,"alert_type":"HIGH_ACTIVITY","message":"${message}"}`, key: '9999' });
  });
});

describe('values', () => {
  it('DECIMAL has exactly its scale', () => {
    const cases: [p: number, s: number, v: number | bigint, want: string][] = [
      [12, 2, 0, '0.00'], [12, 2, 5, '0.05'], [12, 2, -5, '-0.05'], [12, 2, 50, '0.50'], [12, 2, 999999999999, '9999999999.99'], [12, 2, -100, '-1.00'], [5, 0, -42, '-42'], [15, 15, 1, '0.000000000000001'],
      [15, 15, 999999999999999, '0.999999999999999'], [38, 2, 9007199254740991, '90071992547409.91'], [38, 2, 9007199254740993n, '90071992547409.93'], [38, 2, -9007199254740993n, '-90071992547409.93'],
      [38, 38, 1, `0.${'0'.repeat(37)}1`], [38, 20, -15, '-0.00000000000000000015'], [38, 0, 10n ** 37n, `1${'0'.repeat(37)}`], [10, 3, 1000000000, '1000000.000'], [10, 3, 999999999, '999999.999'],
    ];
    for (const [p, s, v, want] of cases) expect(text(decimal(p, s), v), want).toBe(want);
    expect(text(decimal(12, 2), 25000, { decimals: 'string' })).toBe('"250.00"');
  });

  it('integers have all their digits', () => {
    const all = [0, 1, -1, 9, 10, 99, 100, 999999999, 1000000000, 1000000001, 2147483648, -2147483648, 4294967296, 1704110400000, 9007199254740991, -9007199254740991, 9007199254740993n, 9223372036854775807n, -9223372036854775808n];
    for (const v of all) expect(text(BIGINT, v)).toBe(v.toString());
    expect(text(INT, -2147483648)).toBe('-2147483648');
    expect(text(BIGINT, 9007199254740993n, { decimals: 'string' })).toBe('9007199254740993');
  });

  it('DOUBLE is shortest and shows that it is one', () => {
    const cases: [number, string][] = [
      [5000, '5000.0'], [0.1, '0.1'], [0.1 + 0.2, '0.30000000000000004'], [-1.5, '-1.5'], [0, '0.0'], [-0, '-0.0'], [1e20, '100000000000000000000.0'], [1e21, '1e+21'], [1.5e300, '1.5e+300'], [1e-7, '1e-7'], [5e-324, '5e-324'],
    ];
    for (const [v, want] of cases) { expect(text(DOUBLE, v)).toBe(want); expect(Object.is(JSON.parse(want), v)).toBe(true); }
    expect(text(FLOAT, Math.fround(0.1))).toBe('0.1');
    expect(text(FLOAT, 16777216)).toBe('16777216.0');
    expect(text(FLOAT, Math.fround(3.4028235e38))).toBe('3.4028235e+38');
  });

  it('a DOUBLE that is no JSON number is a row error and writes nothing', () => {
    const schema = schemaOf({ a: STRING, b: DOUBLE });
    for (const v of [NaN, Infinity, -Infinity]) {
      const encoder = new JsonEncoder(schema, { ...DEFAULTS, key: [0, 1] });
      const out = new ByteWriter(4);
      out.ascii('before');
      expect(() => encoder.value(batchOf(schema, [['x', v]]), 0, out)).toThrow(new RowError('user.data.row', `${v} is a DOUBLE that JSON cannot hold`));
      expect(() => encoder.key(batchOf(schema, [['x', v]]), 0, out)).toThrow(RowError);
      expect(out.buf.toString('utf8', 0, out.pos)).toBe('before');
    }
  });

  it('times are epoch ms, or ISO if the format says so', () => {
    const ms = Date.UTC(2024, 0, 1, 12, 0, 10, 5);
    expect([TIMESTAMP, TIMESTAMP_LTZ].map(t => text(t, ms))).toEqual(['1704110410005', '1704110410005']);
    expect([TIMESTAMP, TIMESTAMP_LTZ].map(t => text(t, ms, { timestamps: 'iso' }))).toEqual(['"2024-01-01T12:00:10.005Z"', '"2024-01-01T12:00:10.005Z"']);
    expect(text(TIMESTAMP, -1)).toBe('-1');
    expect([text(DATE, -1), text(TIME, 3_661_500)]).toEqual(['"1969-12-31"', '"01:01:01.500"']);
  });

  it('BOOLEAN, BYTES and NULL', () => {
    expect([text(BOOLEAN, true), text(BOOLEAN, false), text(BYTES, new Uint8Array([1, 2, 255])), text(STRING, null), text(decimal(12, 2), null, { decimals: 'string' }), text(NULL, null)]).toEqual(['true', 'false', '"AQL/"', 'null', 'null', 'null']);
    expect(encode({}, []).value).toBe('{}');
  });

  it('text is escaped as JSON.stringify does it, which leaves no lone surrogate', () => {
    const texts = ['', 'plain', '"\\/', '\0\u0001\b\t\n\f\r\u001f\u007f', 'é😀', '\u2028\u2029', '\ud800', 'a\udfff', '\ud800\ud800\udc00', '\udc00\ud800', 'x'.repeat(100), `${'é'.repeat(60)}"`, '<script>', '\u001b[31m', 'x'.repeat(200_000)];
    for (const t of texts) expect(text(STRING, t)).toBe(JSON.stringify(t));
    expect(encode({ 'a"b\n': INT, é: INT, __proto__x: INT }, [1, 2, 3]).value).toBe('{"a\\"b\\n":1,"é":2,"__proto__x":3}');
  });
});

describe('keys', () => {
  it('are the text of the key column', () => {
    const key = (type: SqlType, v: Value | null, options: Partial<EncoderOptions> = {}): string | null => encode({ x: INT, a: type }, [1, v], { key: [1], ...options }).key;
    expect([key(STRING, '1234'), key(STRING, ''), key(STRING, 'é"'), key(STRING, null)]).toEqual(['1234', '', 'é"', null]);
    expect([key(BIGINT, 9999), key(BIGINT, 9007199254740993n), key(decimal(12, 2), 50, { decimals: 'string' }), key(BOOLEAN, true), key(DOUBLE, 5)]).toEqual(['9999', '9007199254740993', '0.50', 'true', '5.0']);
    expect([key(TIMESTAMP, 5), key(TIMESTAMP, 5, { timestamps: 'iso' }), key(DATE, 0), key(BYTES, new Uint8Array([255]))]).toEqual(['5', '1970-01-01T00:00:00.005Z', '1970-01-01', '/w==']);
  });

  it('of several columns are a JSON array, NULLs written', () => {
    expect(encode({ a: STRING, b: decimal(5, 1), c: INT }, ['x"', 15, null], { key: [2, 0, 1] }).key).toBe('[null,"x\\"",1.5]');
    expect(encode({ a: STRING }, ['x']).key).toBe(null);
  });
});

describe.each(decoders)(`round trip, $name, FORMATS_SEED=${seed}`, ({ decoderOf }) => {
  const next = random(seed + 1);
  const int = (n: number): number => Math.floor(next() * n);
  const wide = (digits: number): number | bigint => {
    const v = BigInt(Array.from({ length: 1 + int(digits) }, () => int(10)).join('')) * (next() < 0.5 ? 1n : -1n);
    return v >= -9007199254740991n && v <= 9007199254740991n ? Number(v) : v;
  };
  const chars = ['a', 'Z', '"', '\\', '\n', '\0', 'é', '😀', '\ud800', '\u2028', ' ', '0'];
  const dbl = (): number => { const x = new Float64Array(new Uint32Array([int(2 ** 32), int(2 ** 32)]).buffer)[0] as number; return Number.isFinite(x) ? x : 1.5; };
  const kinds: readonly (() => [SqlType, () => Value])[] = [
    () => [STRING, () => Array.from({ length: int(20) }, () => chars[int(chars.length)]).join('')],
    () => [BIGINT, () => wide(18)],
    () => [INT, () => int(2 ** 32) - 2 ** 31],
    () => { const p = 1 + int(38); return [decimal(p, int(p + 1)), () => wide(p)]; },
    () => [DOUBLE, dbl],
    () => [FLOAT, () => Math.fround(int(1e6) / 1000)],
    () => [BOOLEAN, () => next() < 0.5],
    () => [BYTES, () => Uint8Array.from({ length: int(10) }, () => int(256))],
    () => [DATE, () => int(40_000) - 20_000],
    () => [TIME, () => int(86_400_000)],
    () => [TIMESTAMP, () => int(4e12) - 2e12],
    () => [TIMESTAMP_LTZ, () => int(4e12) - 2e12],
  ];

  it('gives back every value of every schema', () => {
    for (let n = 0; n < rounds(300); n++) {
      const makers = Array.from({ length: 1 + int(8) }, () => (kinds[int(kinds.length)] as (typeof kinds)[number])());
      const names = makers.map((_m, i) => `${chars[int(chars.length)]}${i}`);
      const schema: Schema = makers.map(([type], i) => ({ name: names[i] as string, type, nullable: true }));
      const rows = Array.from({ length: 20 }, () => makers.map(([, make]) => (next() < 0.1 ? null : make())));
      const encoder = new JsonEncoder(schema, { timestamps: next() < 0.5 ? 'iso' : 'epoch_ms', decimals: next() < 0.5 ? 'string' : 'number', key: [] });
      const batch = batchOf(schema, rows);
      const out = new ByteWriter(16);
      const values = rows.map((_r, i) => { const start = out.pos; encoder.value(batch, i, out); return Buffer.from(out.buf.subarray(start, out.pos)); });
      for (const v of values) expect(() => JSON.parse(v.toString('utf8')) as unknown).not.toThrow();
      const decoder = decoderOf(schema.map(f => column(f.name, f.type)));
      const back = decoder.decode(recordsOf(values), 0, values.length, (_i, _c, message) => { throw new Error(`seed ${seed}: ${message}`); });
      expect(rowsOf(back), `seed ${seed}`).toEqual(rows);
      for (const [c, f] of schema.entries()) if (reprOf(f.type) === 'wide') for (const row of rowsOf(back)) expect(typeof row[c] === 'bigint' ? !Number.isSafeInteger(Number(row[c])) : true).toBe(true);
      // fewer columns: the same values
      const some = schema.map((_f, c) => c).filter(() => next() < 0.5);
      const fewer = decoderOf(some.map(c => column((schema[c] as Schema[number]).name, (schema[c] as Schema[number]).type))).decode(recordsOf(values), 0, values.length, (_i, _c, message) => { throw new Error(message); });
      expect(rowsOf(fewer)).toEqual(rows.map(r => some.map(c => r[c])));
    }
  });
});

describe('the registry', () => {
  it('knows json and says what is not there', () => {
    expect(findFormat('JSON')).toBe(formats.find('json'));
    expect(() => findFormat('avro')).toThrow('not supported yet: format avro');
    expect(() => findFormat('jsn')).toThrow('there is no format "jsn"');
  });
});
