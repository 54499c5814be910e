import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyWriter, NULL_HASH, NULL_KEY, readKeys, TextEncoder } from '../../src/engine/group-key.ts';
import { packChunk, unpackChunk, chunkStart } from '../../src/engine/pane-chunk.ts';
import { Pane } from '../../src/engine/pane.ts';
import type { StateSlot } from '../../src/sql/functions/define.ts';
import { BIGINT, BOOLEAN, BYTES, DOUBLE, STRING, decimal, type SqlType, type Value } from '../../src/sql/types.ts';

const numbers: StateSlot = { name: 'n', repr: 'f64', column: 'INTEGER', init: () => 0 };
const texts: StateSlot = { name: 't', repr: 'any', column: 'TEXT', init: () => 'new' };

const paneOf = (slots: readonly StateSlot[] = [], repeats = false): Pane => new Pane(0, 10, slots, repeats, false, () => undefined);

/** Finds or makes the group of these keys. */
function group(pane: Pane, types: readonly SqlType[], values: readonly (Value | null)[]): number {
  const key = new KeyWriter(types.length);
  values.forEach((v, j) => key.value(types[j] as SqlType, v));
  return pane.find(key.bytes, 0, key.pos, key.hash());
}

const any: Readonly<Record<string, { readonly type: SqlType; readonly value: fc.Arbitrary<Value> }>> = {
  text: { type: STRING, value: fc.oneof(fc.string({ unit: 'binary', maxLength: 4 }), fc.constantFrom('', '\ud800', '\udfff', 'a\u0000', '\ud83d\ude00')) },
  double: { type: DOUBLE, value: fc.double({ noNaN: true }) },
  bigint: { type: BIGINT, value: fc.oneof(fc.integer(), fc.constantFrom(9007199254740993n, -9223372036854775808n)) },
  wide: { type: decimal(38, 2), value: fc.oneof(fc.maxSafeInteger(), fc.bigInt(2n ** 60n, 2n ** 120n)) },
  boolean: { type: BOOLEAN, value: fc.boolean() },
  bytes: { type: BYTES, value: fc.uint8Array({ maxLength: 3 }) },
};

describe('keys of groups', () => {
  const keys = fc.array(fc.constantFrom(...Object.values(any)), { minLength: 0, maxLength: 3 }).chain(columns =>
    fc.record({ types: fc.constant(columns.map(c => c.type)), rows: fc.array(fc.tuple(...columns.map(c => fc.option(c.value, { freq: 5 }))), { minLength: 1, maxLength: 30 }) }));
  // -0 and 0 are one key, and bytes are equal by their content
  const identity = (row: readonly (Value | null)[]): string => row.map(v => (v === null ? 'null' : `${typeof v} ${v instanceof Uint8Array ? v.join() : typeof v === 'number' ? v + 0 : JSON.stringify(typeof v === 'bigint' ? String(v) : v)}`)).join('|');

  it('are equal exactly when their values are, and come back', () => {
    fc.assert(fc.property(keys, ({ types, rows }) => {
      const pane = paneOf();
      const expected = new Map<string, number>();
      for (const row of rows) {
        const id = identity(row);
        if (!expected.has(id)) expected.set(id, expected.size);
        const g = group(pane, types, row);
        expect(g).toBe(expected.get(id));
        expect(identity(readKeys(types, pane.keyBytes, pane.keyAt[g] as number, pane.keyAt[g + 1] as number))).toBe(id);
      }
      expect(pane.groups).toBe(expected.size);
    }), { numRuns: 500 });
  });

  it('of a text are the same from a column of strings', () => {
    fc.assert(fc.property(fc.array(fc.option(any['text']?.value as fc.Arbitrary<string>), { minLength: 1 }), texts => {
      const pane = paneOf();
      const one = texts.map(t => group(pane, [STRING], [t]));
      const column = new TextEncoder().column(texts.map(t => t ?? '?'), Uint8Array.from(texts, t => (t === null ? 1 : 0)), texts.length);
      const many = texts.map((t, i) => (t === null ? pane.find(NULL_KEY, 0, 1, NULL_HASH) : pane.find(column.bytes, column.start[i] as number, column.end[i] as number, (column.hash as Int32Array)[i] as number)));
      expect(many).toEqual(one);
      expect(texts.map((t, i) => (t === null ? null : column.at(i)))).toEqual(texts);
    }));
  });
});

describe('a pane', () => {
  it('equals a Map over 200,000 random keys, looking ahead or not', () => {
    const pane = paneOf([numbers]);
    const expected = new Map<string, number>();
    const encoder = new TextEncoder();
    for (let round = 0; round < 200; round++) {
      const keys = Array.from({ length: 1000 }, () => String(Math.floor(Math.random() * 70_000)));
      const column = encoder.column(keys, null, keys.length);
      pane.lookAhead(column, keys.length);
      keys.forEach((k, i) => {
        const g = pane.find(column.bytes, column.start[i] as number, column.end[i] as number, (column.hash as Int32Array)[i] as number);
        (pane.state[0] as Float64Array)[g] = ((pane.state[0] as Float64Array)[g] as number) + 1;
        expected.set(k, (expected.get(k) ?? 0) + 1);
      });
    }
    expect(pane.groups).toBe(expected.size);
    for (let g = 0; g < pane.groups; g++) expect((pane.state[0] as Float64Array)[g]).toBe(expected.get(readKeys([STRING], pane.keyBytes, pane.keyAt[g] as number, pane.keyAt[g + 1] as number)[0] as string));
  });

  it('takes less than 130 bytes a key for a sum and a count of a million short keys', () => {
    let bytes = 0;
    const pane = new Pane(0, 10, [numbers, numbers, numbers], false, false, n => { bytes += n; });
    const key = new KeyWriter(1);
    for (let i = 0; i < 1_000_000; i++) {
      key.begin();
      key.text(String(i));
      pane.touch(pane.find(key.bytes, 0, key.pos, key.hash()));
    }
    expect(bytes).toBe(pane.bytes);
    expect(bytes / 1_000_000).toBeLessThan(130);
  });
});

describe('packed pieces of a pane', () => {
  it('give back random panes that grew, changed and closed half', () => {
    const step = fc.record({ keys: fc.array(fc.nat(200), { maxLength: 60 }), emit: fc.nat(10), whole: fc.boolean() });
    fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.boolean(), fc.subarray([numbers, texts, numbers], { minLength: 0 }), (steps, repeats, slots) => {
      const pane = paneOf(slots, repeats);
      let pieces: Buffer[] = [];
      for (const { keys, emit, whole } of steps) {
        for (const k of keys) {
          const g = group(pane, [STRING], [k === 0 ? null : `key ${k}`]);
          slots.forEach((s, j) => { (pane.state[j] as unknown[])[g] = s === numbers ? k * 3 + pieces.length : `${k} \ud800 ${pieces.length}`; });
          if (pane.dirty[g] === 0) pane.touch(g);
        }
        pane.emitted = Math.min(pane.groups, pane.emitted + emit);
        if (whole) pieces = [];
        pieces.push(packChunk(pane, slots, whole ? 0 : pane.saved, pane.groups, whole ? new Int32Array(0) : pane.changed.subarray(0, pane.changes)));
        pane.clean();
      }
      const back = paneOf(slots, repeats);
      for (const p of pieces) {
        expect(chunkStart(p)).toBe(0);
        // as SQLite gives it: at any place of another buffer
        unpackChunk(back, slots, Buffer.concat([Buffer.from('x'), p]).subarray(1));
      }
      // groups that come out at every end say for themselves whether they are
      expect([back.groups, back.emitted]).toEqual([pane.groups, repeats ? 0 : pane.emitted]);
      expect(back.keyBytes.subarray(0, back.keyAt[back.groups])).toEqual(pane.keyBytes.subarray(0, pane.keyAt[pane.groups]));
      for (let j = 0; j < slots.length; j++) expect(Array.from(back.state[j] as unknown[]).slice(0, back.groups)).toEqual(Array.from(pane.state[j] as unknown[]).slice(0, pane.groups));
      if (repeats) expect(back.pending?.subarray(0, back.groups)).toEqual(pane.pending?.subarray(0, pane.groups));
    }), { numRuns: 300 });
  });

  it('that were damaged are refused', () => {
    const pane = paneOf([numbers]);
    for (let i = 0; i < 100; i++) group(pane, [STRING], [String(i)]);
    const piece = packChunk(pane, [numbers], 0, 100, new Int32Array(0));
    for (let i = 0; i < 300; i++) {
      const bad = Buffer.from(piece);
      const at = Math.floor(Math.random() * bad.length);
      bad[at] = (bad[at] as number) ^ (1 << (i % 8));
      expect(() => chunkStart(bad), `byte ${at}`).toThrow('damaged');
    }
    expect(() => chunkStart(piece.subarray(0, 20))).toThrow('damaged');
  });
});
