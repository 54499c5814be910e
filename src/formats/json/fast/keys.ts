import type { Writer } from '../../../codegen/writer.ts';
import type { Slot } from '../slot.ts';
import { toQuote } from './strings.ts';

/** A key that the scanner looks for. */
export interface Key {
  readonly index: number;
  readonly text: string;
  /** `"key":` */
  readonly prefix: Buffer;
  /** It can stand in a record without escapes. */
  readonly literal: boolean;
  /** The columns that read it. */
  readonly slots: readonly Slot[];
}

export function keysOf(slots: readonly Slot[]): Key[] {
  const byText = new Map<string, Slot[]>();
  for (const slot of slots) {
    const of = byText.get(slot.key);
    if (of === undefined) byText.set(slot.key, [slot]);
    else of.push(slot);
  }
  return [...byText].map(([text, of], index) => ({ index, text, prefix: Buffer.from(`"${text}":`), literal: !/["\\\u0000-\u001f]/.test(text), slots: of }));
}

/** Code that is true when `bytes` stand at `at` in view `d`; four at a time, all of them before `e`. */
function standsAt(bytes: Uint8Array, at: string): string {
  const b = Buffer.from(bytes);
  const n = b.length;
  if (n < 4) return [`${at} + ${n} <= e`, ...Array.from(b, (c, i) => `b[${at} + ${i}] === ${c}`)].join(' && ');
  const words = Array.from({ length: n >> 2 }, (_, i) => 4 * i);
  // the last word overlaps the one before it
  if (n % 4 !== 0) words.push(n - 4);
  return [`${at} + ${n} <= e`, ...words.map(i => `d.getInt32(${at} + ${i}, true) === ${b.readInt32LE(i)}`)].join(' && ');
}

/** The key that `order` expects as field `n` is taken when it stands at `p` as `"key":`; else f is -1. */
export function expectedKey(w: Writer, keys: readonly Key[]): void {
  w.line('let f = n < 64 ? order[n] : -1;');
  w.line('switch (f) {');
  for (const k of keys) if (k.literal) w.line(`case ${k.index}: if (${standsAt(k.prefix, 'p')}) p += ${k.prefix.length}; else f = -1; break;`);
  w.line('default: f = -1; }');
}

/** Any key at `p`: f becomes its index, or `keys.length` when nobody wants it; p comes to stand behind the colon. */
export function anyKey(w: Writer, keys: readonly Key[]): void {
  const nobody = keys.length;
  w.line('q = p + 1;');
  toQuote(w);
  w.line(`if (c !== 34) { q = scan.string(b, p + 1, e) - 1; if (q < p) break fast; f = host.named(p + 1, q); }`);
  w.line('else switch (q - p - 1) {');
  for (const length of new Set(keys.filter(k => k.literal).map(k => k.prefix.length))) {
    const of = keys.filter(k => k.literal && k.prefix.length === length);
    w.line(`case ${length - 3}: f = ${of.map(k => `${standsAt(k.prefix.subarray(0, -1), 'p')} ? ${k.index} : `).join('')}${nobody}; break;`);
  }
  w.line(`default: f = ${nobody}; }`);
  w.line('if (n < 64) order[n] = f;');
  w.line('p = q + 1; if (b[p] !== 58) { p = blanks(b, p, e); if (b[p] !== 58) break fast; } p++;');
}
