import { describe, expect, it } from 'vitest';
import { TextColumn, hashBytes, plainColumn, readText, textBytes, writeWtf8 } from '../../src/sql/values/text-column.ts';
import { random, rounds, seed } from '../formats/support.ts';

const TEXTS = ['', 'a', 'deposit', 'é', 'ключ', '\ud7ff\ue000', '😀', '\ud800', '\udfff', 'x\udc00\ud800y', '\ud83d\ude00\ud83d', '\udc00😀', 'a\0b', '\uffff', 'é\ud800'];

/** One after the other, with a byte between. */
function columnOf(texts: readonly string[]): TextColumn {
  const bytes = Buffer.alloc(texts.reduce((n, t) => n + textBytes(t.length) + 1, 0));
  const start = new Int32Array(texts.length);
  const end = new Int32Array(texts.length);
  let p = 0;
  texts.forEach((t, i) => { start[i] = p; end[i] = writeWtf8(t, bytes, p); p = (end[i] as number) + 1; });
  return new TextColumn(bytes, start, end, start.map((s, i) => hashBytes(bytes, s, end[i] as number)));
}

describe('texts as bytes', () => {
  it('come back as they were, lone surrogates too', () => {
    const c = columnOf(TEXTS);
    expect(TEXTS.map((_, i) => c.at(i))).toEqual(TEXTS);
    expect(c.strings(3)).toEqual(TEXTS.slice(0, 3));
    expect(plainColumn(columnOf(TEXTS), TEXTS.length)).toEqual(TEXTS);
    expect(plainColumn(TEXTS, 2)).toBe(TEXTS);
  });

  it('are UTF-8 where there are no lone surrogates', () => {
    for (const t of TEXTS.filter(t => t.isWellFormed())) {
      const to = Buffer.alloc(textBytes(t.length));
      expect(to.subarray(0, writeWtf8(t, to, 0))).toEqual(Buffer.from(t));
    }
  });

  it('have bytes that differ where they differ', () => {
    const c = columnOf(TEXTS);
    expect(new Set(TEXTS.map((_, i) => c.bytes.toString('hex', c.start[i], c.end[i]))).size).toBe(TEXTS.length);
  });

  it('are copied with their bytes, but for those that last', () => {
    const c = columnOf(TEXTS);
    const own = c.copy(TEXTS.length, Buffer.alloc(0));
    const shared = c.copy(3, c.bytes);
    c.start.fill(0);
    expect(shared.bytes).toBe(c.bytes);
    expect([0, 1, 2].map(i => shared.at(i))).toEqual(TEXTS.slice(0, 3));
    c.bytes.fill(120);
    expect(TEXTS.map((_, i) => own.at(i))).toEqual(TEXTS);
  });

  it('are picked with their hashes', () => {
    const c = columnOf(TEXTS).pick(Int32Array.from([4, 0, 4]));
    expect([c.at(0), c.at(1), c.at(2)]).toEqual([TEXTS[4], '', TEXTS[4]]);
    expect(c.hash?.[0]).toBe(c.hash?.[2]);
    expect(c.hash?.[0]).toBe(hashBytes(c.bytes, c.start[0] as number, c.end[0] as number));
    expect(new TextColumn(c.bytes, c.start, c.end, null).pick(Int32Array.from([1])).hash).toBeNull();
  });

  it(`come back from any code units, FORMATS_SEED=${seed}`, () => {
    const next = random(seed);
    for (let n = 0; n < rounds(3000); n++) {
      const text = String.fromCharCode(...Array.from({ length: Math.floor(next() * 12) }, () => (next() < 0.4 ? 0xd7f0 + Math.floor(next() * 0x820) : Math.floor(next() * 0x500))));
      const to = Buffer.alloc(textBytes(text.length) + 1);
      const end = writeWtf8(text, to, 1);
      expect(readText(to, 1, end), `seed ${seed}`).toBe(text);
    }
  });
});
