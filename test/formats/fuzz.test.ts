import { describe, expect, it } from 'vitest';
import { BIGINT, BOOLEAN, BYTES, DATE, DOUBLE, INT, STRING, TIME, TIMESTAMP, TIMESTAMP_LTZ, decimal, type Value } from '../../src/sql/types.ts';
import { KEYS, blank, int, mutate, next, object, parsed, pick } from './documents.ts';
import { cell, column, decoders, recordsOf, rounds, seed } from './support.ts';

type Want = Value | null | typeof DEAD | typeof ANY;
const DEAD = Symbol('dead letter');
/** JSON.parse lost what would decide (the digits, the bytes). */
const ANY = Symbol('any');
/** No number of the document loses anything in a double. */
const isExact = (doc: Buffer): boolean => !/\d[eE]|[\d.]{15}/.test(doc.toString('latin1'));

function wanted(kind: string, v: unknown, exact: boolean): Want {
  if (v === undefined || v === null) return null;
  if (typeof v === 'object') return kind === 'string' ? ANY : DEAD;
  switch (kind) {
    case 'string': return typeof v === 'string' ? v : typeof v === 'boolean' ? String(v) : ANY;
    case 'boolean': return typeof v === 'boolean' ? v : DEAD;
    case 'double': return typeof v === 'number' ? (Number.isFinite(v) ? v : DEAD) : typeof v === 'boolean' ? DEAD : ANY;
    case 'bigint': return typeof v === 'boolean' ? DEAD : typeof v === 'string' || !exact ? ANY : Number.isInteger(v) ? (v as number) + 0 : DEAD;
    default: return ANY;
  }
}

describe.each(decoders)(`fuzz, $name, FORMATS_SEED=${seed}`, ({ decoderOf }) => {
  const kinds = [STRING, STRING, BIGINT, DOUBLE, BOOLEAN, STRING, DOUBLE];
  const columns = KEYS.slice(0, kinds.length).map((k, i) => column(k, kinds[i] as (typeof kinds)[number]));
  const lenient = [column('nobody has this', STRING)];

  it('accepts what JSON.parse accepts, with the same values', () => {
    console.error(`FORMATS_SEED=${seed}`);
    const strict = decoderOf(columns);
    const syntaxOnly = decoderOf(lenient);
    let accepted = 0;
    const total = rounds(30_000);
    for (let done = 0; done < total; done += 500) {
      const docs = Array.from({ length: 500 }, () => { const d = Buffer.from(blank() + object(0) + blank()); return next() < 0.25 ? d : mutate(d); });
      const records = recordsOf(docs, pick(['', '"', '}', '1', '\xff', '"}']));
      const oracle = docs.map(parsed);
      const refused = new Set<number>();
      syntaxOnly.decode(records, 0, docs.length, i => refused.add(i));
      docs.forEach((d, i) => { if (refused.has(i) !== (oracle[i] === null)) throw new Error(`seed ${seed}: ${oracle[i] === null ? 'accepts' : 'refuses'} ${JSON.stringify(d.toString('latin1'))}`); });
      accepted += docs.length - refused.size;

      const dead = new Map<number, string>();
      const batch = strict.decode(records, 0, docs.length, (i, code) => dead.set(i, code));
      const rowOf = new Map(Array.from({ length: batch.length }, (_, row) => [batch.origin?.rows[row] as number, row]));
      docs.forEach((d, i) => {
        const o = oracle[i] as Map<string, unknown> | null;
        const want = o === null ? [] : columns.map((c, k) => wanted((kinds[k] as (typeof kinds)[number]).k, o.get(c.key), isExact(d)));
        const row = rowOf.get(i);
        const where = `seed ${seed}: ${JSON.stringify(d.toString('latin1'))}`;
        if (o === null) expect(dead.get(i), where).toBe('user.data.decode');
        else if (want.includes(DEAD)) expect(dead.get(i), where).toBe('user.data.type');
        else if (row === undefined) expect(want.includes(ANY), where).toBe(true);
        else want.forEach((w, c) => { if (w !== ANY && !Object.is(cell(batch, c, row), w)) expect(cell(batch, c, row), where).toBe(w); });
      });
    }
    expect(accepted).toBeGreaterThan(total / 10);
    expect(accepted).toBeLessThan(total * 0.9);
  });

  it('reads numbers as BigInt and Number do', () => {
    const types = [column('i', BIGINT), column('d', decimal(38, 0)), column('n', decimal(15, 3), {}), column('w', decimal(30, 3)), column('x', DOUBLE), column('t', STRING)];
    const decoder = decoderOf(types);
    const digits = (n: number): string => Array.from({ length: n }, () => int(10)).join('');
    for (let n = 0; n < rounds(5_000); n++) {
      const whole = pick(['0', String(1 + int(9)) + digits(int(12)), String(1 + int(9)) + digits(int(17))]);
      const sign = pick(['', '-']);
      const fraction = pick(['', '', digits(1 + int(3)), digits(1 + int(6))]);
      const number = sign + whole + (fraction === '' ? '' : `.${fraction}`);
      const quote = pick(['', '"']);
      const q = quote + number + quote;
      const thousandths = BigInt(whole + fraction.padEnd(3, '0').slice(0, 3)) + (fraction.length > 3 && fraction.charCodeAt(3) >= 53 ? 1n : 0n);
      const signed = (b: bigint): bigint => (sign === '-' ? -b : b);
      const narrowFits = thousandths < 10n ** 15n;
      const integral = /^0*$/.test(fraction);
      const doc = `{"i":${integral ? q : 0},"n":${narrowFits ? q : 0},"w":${q},"d":${q},"x":${q},"t":${q}}`;
      const batch = decoder.decode(recordsOf([doc]), 0, 1, (_i, _code, message) => { throw new Error(`seed ${seed}: ${doc}: ${message}`); });
      const got = types.map((_t, c) => cell(batch, c, 0));
      const up = BigInt(whole) + (fraction !== '' && fraction.charCodeAt(0) >= 53 ? 1n : 0n);
      expect(got.slice(0, 4).map(v => BigInt(v as number)), `seed ${seed}: ${doc}`).toEqual([integral ? signed(BigInt(whole)) : 0n, signed(up), narrowFits ? signed(thousandths) : 0n, signed(thousandths)]);
      for (const v of got.slice(0, 4)) expect(typeof v === 'bigint' ? v > 9007199254740991n || v < -9007199254740991n : Number.isSafeInteger(v) && !Object.is(v, -0), `canonical ${String(v)}`).toBe(true);
      expect(Object.is(got[4], Number(number)), doc).toBe(true);
      expect(got[5]).toBe(quote === '"' ? number : Number(number) === 0 ? number.replace('-', '') : number);
    }
  });

  it('never throws on random bytes and reports each record once', () => {
    const types = [STRING, BIGINT, INT, decimal(12, 2), decimal(30, 5), DOUBLE, BOOLEAN, BYTES, DATE, TIME, TIMESTAMP, TIMESTAMP_LTZ];
    const decoder = decoderOf([...types.map((t, i) => column(String.fromCharCode(97 + i), t)), column('ts', TIMESTAMP_LTZ, { key: 'a', time: 's' })]);
    const alphabet = Buffer.from('{}[]",:\\u0123456789eE+-.abcdefghijkl truefalsn\n\xff\xc3\xa9\0', 'latin1');
    for (let n = 0; n < rounds(300); n++) {
      const docs = Array.from({ length: 50 }, () => (next() < 0.3 ? mutate(Buffer.from(object(0))) : Buffer.from(Array.from({ length: int(40) }, (_, i) => (i === 0 && next() < 0.7 ? 123 : (alphabet[int(alphabet.length)] as number))))));
      const seen = new Set<number>();
      const batch = decoder.decode(recordsOf(docs, ''), 0, docs.length, i => { expect(seen.has(i)).toBe(false); seen.add(i); });
      expect(batch.length + seen.size).toBe(docs.length);
    }
  });
});
