import { describe, expect, it } from 'vitest';
import { BIGINT, BOOLEAN, BYTES, DATE, DOUBLE, FLOAT, INT, SMALLINT, STRING, TIME, TIMESTAMP, TIMESTAMP_LTZ, TINYINT, decimal, type SqlType } from '../../src/sql/types.ts';
import type { DecodeColumn, Decoder } from '../../src/formats/format.ts';
import { PlainDecoder } from '../../src/formats/json/decode.ts';
import { scanDecoder } from '../../src/formats/json/fast/decoder.ts';
import { GENERATED } from '../no-codegen.ts';
import { blank, int, mutate, next, object, parsed, pick, value } from './documents.ts';
import { cell, column, generated, random, recordsOf, rounds, seed } from './support.ts';

const TYPES: readonly SqlType[] = [
  STRING, STRING, STRING, decimal(12, 2), decimal(15, 0), decimal(15, 15), decimal(4, 1), decimal(38, 10), BIGINT, INT, SMALLINT, TINYINT, DOUBLE, FLOAT, BOOLEAN, BYTES, DATE, TIME,
  TIMESTAMP, TIMESTAMP_LTZ, { ...TIMESTAMP, p: 0 },
];
const KEYS = ['a', 'b', 'id', 'abc', 'type', 'amount', 'account', 'timestamp', 'description', 'a_rather_long_name', '', 'ключ', 'é', 'q"', 'tab\t', '__proto__', 'constructor'];

const digits = (n: number): string => Array.from({ length: n }, () => int(10)).join('');
const whole = (): string => pick(['0', '1', '7', '42', '127', '128', '600', '32767', '32768', '9999999', '123456789', '1234567890', '2147483648', '9007199254740991', '9007199254740993', '9223372036854775808', '1', '10', `${1 + int(9)}${digits(int(20))}`, `0${digits(3)}`]);
const number = (): string => `${pick(['', '', '', '-'])}${whole()}${pick(['', '', '', '.0', '.5', '.25', '.10', '.125', `.${digits(1 + int(16))}`, '.'])}${pick(['', '', '', '', '', 'e2', 'E-3', 'e+0', 'e400', 'e01', 'e'])}`;
const TEXTS = ['', 'a', 'deposit', 'withdrawal', '100123', 'with space', 'a longer text than the cache keeps', 'é', 'ключ 12', '😀', '\\n', '\\u0041bc', '\\ud83d\\ude00', '\\ud800', 'x\\udfff', '\\"', '\\\\', '\u2028', '\u007f', '2024-01-01T00:00:00Z', '2024-01-01', '12:00:01', 'AQL/', 'null', 'tab\\there', '\\/'];
const time = (): string => pick(['1704110400', '1704110401', '1704110400123', '1704110400123456', '8640000000000', '8640000000001', '8640000000000001', '9007199254740992', '0', '-1', '-1704110400', '01704110400', '1704110400.5', '1.7041104e9', '1704110400']);

/** A value that is of the type, or may be. */
function likely(type: SqlType, wild: boolean): string {
  const quote = next() < 0.15 ? '"' : '';
  const sign = pick(['', '', '-']);
  switch (type.k) {
    case 'string': return next() < 0.8 ? `"${pick(TEXTS)}"` : wild ? number() : String(int(1e6));
    case 'boolean': return pick(['true', 'false']);
    case 'bytes': return pick(['"AQL/"', '""', '"AQ=="']);
    case 'date': return pick(['"2024-01-01"', '"1969-12-31"']);
    case 'time': return pick(['"12:00:01"', '"23:59:59.999"']);
    case 'timestamp': case 'timestamp_ltz': return next() < 0.4 ? '"2024-01-01T00:00:00Z"' : wild ? time() : `17041104${digits(5)}`;
    case 'tinyint': case 'smallint': case 'int': case 'bigint': return quote + (wild ? number() : sign + String(int(128))) + quote;
    default: return quote + (wild ? number() : `${sign}${type.p > 0 && type.p === type.s ? 0 : int(type.p < 9 ? 1000 : 1e7)}${pick(['', '.5', `.${digits(1 + int(2))}`])}`) + quote;
  }
}

function likelyOf(c: DecodeColumn, wild: number): string {
  const r = next();
  if (r < wild / 2) return value(2);
  if (r > 0.96) return c.required || c.time !== null ? '0' : 'null';
  if (c.time === 'iso') return '"2024-01-01T00:00:00Z"';
  if (c.time !== null) { const quote = pick(['', '"']); return quote + (r < wild ? time() : `17041104${digits(2 + int(4))}`) + quote; }
  return likely(c.field.type, r < wild);
}

/** Random columns; now and then two of one key, more than fit one word of flags, or none. */
function columns(): DecodeColumn[] {
  const many = next() < 0.05;
  const keys = [...KEYS, ...(many ? Array.from({ length: 24 }, (_, i) => `c${i}`) : [])].filter(() => next() < (many ? 0.9 : pick([0.1, 0.2, 0.4])));
  const found = keys.map((k, i) => column(`f${i}`, pick(TYPES), { key: k, required: next() < 0.05 }));
  if (keys.length > 0 && next() < 0.7) found.push(column('ts', TIMESTAMP_LTZ, { key: pick(keys), time: pick(['s', 'ms', 'us', 'iso'] as const), required: true }));
  return found.map(c => (c.field.type.k === 'string' && c.time === null && next() < 0.6 ? { ...c, bytes: true } : c));
}

const STYLES: readonly (readonly [colon: string, comma: string, open: string, close: string])[] = [[':', ',', '{', '}'], [':', ',', '{', '}'], [': ', ', ', '{', '}'], [': ', ',\n  ', '{\n  ', '\n}\n'], [' :', ' ,', '{ ', ' }']];

/** A record as a producer of these columns writes it, its keys in the order given. */
function regular(of: readonly DecodeColumn[], order: readonly string[], wild: number, [colon, comma, open, close]: (typeof STYLES)[number]): string {
  const keys = next() < 0.05 ? [...order].sort(() => next() - 0.5) : order.filter(() => next() > 0.01);
  const written = (k: string): string => (next() < 0.02 ? `"${[...k].map(c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"` : JSON.stringify(k));
  const fields = keys.map(k => { const cs = of.filter(c => c.key === k); return `${written(k)}${colon}${cs.length === 0 ? value(1) : likelyOf(pick(cs), wild)}`; });
  if (next() < 0.05 && fields.length > 0) fields.push(pick(fields));
  return open + fields.join(comma) + close;
}

function documents(of: readonly DecodeColumn[], n: number): Buffer[] {
  const order = [...new Set([...of.map(c => c.key), ...Array.from({ length: int(4) }, () => pick(['extra', 'note', 'idd', 'typ', 'ignored field', 'amoun', 'c99'])), ...(next() < 0.1 ? Array.from({ length: 70 }, (_, i) => `u${i}`) : [])])].sort(() => next() - 0.5);
  const style = pick(STYLES);
  const some = pick([0, 0.02, 0.4]);
  const wild = pick([0, 0.02, 0.02, 0.3]);
  return Array.from({ length: n }, () => {
    const doc = Buffer.from(next() < 0.03 ? blank() + object(0) + blank() : regular(of, order, wild, style));
    return next() < some ? mutate(doc) : doc;
  });
}

interface Read {
  readonly rows: readonly (readonly [record: number, ...cells: unknown[]])[];
  readonly bad: readonly string[];
}

const canonical = (v: unknown): unknown => (v instanceof Uint8Array ? Buffer.from(v).toString('hex') : Object.is(v, -0) ? '-0' : v);

function readAll(decoder: Decoder, records: ReturnType<typeof recordsOf>, cuts: readonly number[]): Read {
  const rows: (readonly [number, ...unknown[]])[] = [];
  const bad: string[] = [];
  cuts.slice(1).forEach((to, j) => {
    const b = decoder.decode(records, cuts[j] as number, to, (i, code, message) => bad.push(`${i} ${code}: ${message}`));
    for (let i = 0; i < b.length; i++) rows.push([b.origin?.rows[i] as number, ...b.schema.map((_, c) => canonical(cell(b, c, i)))]);
    b.nulls.forEach((n, c) => { if (n !== null && n.subarray(0, b.length).indexOf(1) < 0) throw new Error(`seed ${seed}: column ${c} has a null map and no NULLs`); });
  });
  return { rows, bad };
}

const same = (a: readonly unknown[], b: readonly unknown[] | undefined): boolean => b !== undefined && a.length === b.length && a.every((v, i) => Object.is(v, b[i]));

describe.runIf(GENERATED)(`the generated scanner beside the plain decoder and JSON.parse, FORMATS_SEED=${seed}`, () => {
  it('reads and refuses the same', () => {
    console.error(`FORMATS_SEED=${seed}`);
    let accepted = 0;
    const total = rounds(30_000);
    const size = 250;
    for (let done = 0; done < total; done += 2 * size) {
      const of = columns();
      const plain = new PlainDecoder(of, 4000);
      const fast = scanDecoder(of, 4000);
      if (fast === null) continue;
      for (let round = 0; round < 2; round++) {
        const docs = documents(of, size);
        const records = recordsOf(docs, pick(['', '"', '}', '1', '\xff', '"}', '\x00\x08', ',"a":1}']));
        const cuts = [0, int(size), size].sort((a, b) => a - b);
        const want = readAll(plain, records, cuts);
        const got = readAll(fast, records, cuts);
        const where = `seed ${seed}, ${JSON.stringify(of.map(c => [c.key, c.field.type, c.time, c.bytes]))}`;
        want.rows.forEach((row, i) => { if (!same(row, got.rows[i])) expect(got.rows[i], `${where}: ${docs[row[0]]?.toString('latin1')}`).toEqual(row); });
        expect([got.rows.length, got.bad], where).toEqual([want.rows.length, want.bad]);
        const refused = new Set(want.bad.filter(b => /^\d+ user.data.decode:/.test(b)).map(b => Number(b.split(' ')[0])));
        docs.forEach((d, i) => { if (d.length > 0 && d.length <= 4000 && refused.has(i) !== (parsed(d) === null)) throw new Error(`${where}: ${d.toString('latin1')}`); });
        accepted += want.rows.length;
      }
    }
    expect(accepted).toBeGreaterThan(total / 10);
  });

  it('is left to the plain decoder where columns or their names are too many for one function', () => {
    const many = (n: number, name: string): DecodeColumn[] => Array.from({ length: n }, (_, i) => column(`${name}${i}`, STRING));
    expect([many(40, 'c'), many(200, 'c'), many(2000, 'c'), many(30, 'n'.repeat(500))].map(of => scanDecoder(of, 4000) !== null)).toEqual([true, false, false, false]);
  });

  it('reads amounts, times and texts without the plain decoder', () => {
    const of = [column('account', STRING, { bytes: true }), column('amount', decimal(12, 2)), column('type', STRING), column('ts', TIMESTAMP_LTZ, { key: 'timestamp', time: 's', required: true })];
    const decoder = generated(of, 4000);
    const own = random(seed);
    const docs = Array.from({ length: 100 }, (_, i) => `{"account":"${Math.floor(own() * 1e6)}","amount":${(own() * 1000).toFixed(2)},"x":[${i}],"timestamp":"${1704110400 + i}","type":"deposit"}`);
    decoder.plain = () => { throw new Error('plain'); };
    const batch = decoder.decode(recordsOf(docs), 0, docs.length, () => undefined);
    expect(batch.nulls).toEqual([null, null, null, null]);
    docs.forEach((d, i) => expect(of.map((_, k) => String(cell(batch, k, i))).join(' ')).toBe((({ account, amount, type, timestamp }) => `${account} ${Math.round(amount * 100)} ${type} ${timestamp}000`)(JSON.parse(d) as { account: string; amount: number; type: string; timestamp: string })));
  });
});
