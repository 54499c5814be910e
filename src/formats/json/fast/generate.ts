import { Writer } from '../../../codegen/writer.ts';
import type { JsonScanner } from '../scan.ts';
import { anyKey, expectedKey, keysOf, type Key } from './keys.ts';
import { Skipper } from './skipper.ts';
import type { Flag, Target } from './target.ts';
import { skipValue, wantedValue } from './values.ts';

/** What generated code calls back for what it does not do itself. */
export interface ScanHost {
  /** Reads record `i` into row `row` as the plain decoder does: 1, or 0 when it is bad, which is then reported. */
  plain(i: number, row: number): number;
  /** Whether the bytes of record `i` are UTF-8. */
  isUtf8(i: number): boolean;
  /** Index of the key whose bytes (between its quotes) are [start, end), the number of keys when nobody wants it. */
  named(start: number, end: number): number;
}

/** Scans records [from, to) of `b`, of which `d` is a view; puts the record of each row into `rows` and returns their number. */
export type Scan = (b: Buffer, d: DataView, starts: Int32Array, ends: Int32Array, from: number, to: number, rows: Int32Array, host: ScanHost) => number;

/**
 * Characters of code: V8 optimises no function of more than 60 KB of bytecode, of which a character becomes 1 to 1.5 bytes, and what it does
 * not optimise is ten times slower than the plain decoder. Values are read inline up to the first, by their closures up to the second.
 */
const INLINE = 28_000;
const MOST = 42_000;

/** Keys for which a word of flags has room: a small integer. */
const FLAGS = 30;

/**
 * One loop over the records of a batch for the wanted columns. It goes on only while all is plain: whatever else there is, wrong or merely
 * rare, `break fast` leaves the record, from its start, to the plain decoder. It reads on over the end of a record (never of the buffer, as
 * long as all is well) and looks there whether it has: what follows a record in the buffer is not its own.
 * `maxRecordBytes` is the longest record that is read at all. Null where the columns are too many for one function.
 */
export function generateScan(targets: readonly Target[], scan: JsonScanner, maxRecordBytes: number): { readonly scan: Scan; readonly source: string } | null {
  const w = new Writer();
  const keys = keysOf(targets.map(t => t.slot));
  if (keys.length > MOST / 100) return null;
  const words = Math.max(1, Math.ceil(keys.length / FLAGS));
  w.line(`const scan = ${w.bind(scan)}, blanks = ${w.bind(blanks)}, order = ${w.bind(new Int32Array(64).fill(-1))}, skipper = ${w.bind(new Skipper(scan))}, size = b.length, safe = size - 4;`);
  for (const t of targets) declare(w, t);
  w.line('let row = 0, c = 0, q = 0;');
  w.line('for (let i = from; i < to; i++) {');
  w.line('let p = starts[i]; const e = ends[i];');
  w.line(`let ${Array.from({ length: words }, (_, j) => `seen${j} = 0`).join(', ')};`);
  // so that b[e] exists
  w.line(`fast: { if (p < 0 || e >= size || e - p > ${maxRecordBytes}) break fast;`);
  w.line('if (b[p] !== 123) { p = blanks(b, p, e); if (b[p] !== 123) break fast; }');
  w.line('p++; if (b[p] !== 34) { p = blanks(b, p, e); if (b[p] !== 34) { if (b[p] !== 125) break fast; } }');
  w.line('if (b[p] === 125) p++; else for (let n = 0; ; n++) {');
  expectedKey(w, keys);
  w.line('if (f < 0) {');
  anyKey(w, keys);
  w.line('}');
  w.line('if (b[p] <= 32) p = blanks(b, p, e);');
  w.line('switch (f) {');
  for (const k of keys) {
    w.line(`case ${k.index}: {`);
    wantedValue(w, targets.filter(t => k.slots.includes(t.slot)), flag(k), w.source().length < INLINE);
    w.line('break; }');
  }
  w.line('default: {');
  skipValue(w);
  w.line('} }');
  w.line('c = b[p]; if (c <= 32) { p = blanks(b, p, e); c = b[p]; }');
  w.line('if (c === 44) { p++; if (b[p] !== 34) { p = blanks(b, p, e); if (b[p] !== 34) break fast; } continue; }');
  w.line('if (c !== 125) break fast; p++; break; }');
  w.line('if (p !== e && (p > e || blanks(b, p, e) !== e)) break fast;');
  w.line('if (scan.nonAscii) { scan.nonAscii = false; if (!host.isUtf8(i)) break fast; }');
  absent(w, Array.from({ length: words }, (_, j) => keys.slice(j * FLAGS, (j + 1) * FLAGS)));
  w.line('rows[row++] = i; continue; }');
  w.line('row += host.plain(i, row); }');
  w.line('return row;');
  if (w.source().length > MOST) return null;
  return { scan: w.compile<Scan>('scan', ['b', 'd', 'starts', 'ends', 'from', 'to', 'rows', 'host']), source: w.source() };
}

const flag = (k: Key): Flag => ({ word: `seen${Math.floor(k.index / FLAGS)}`, bit: 1 << (k.index % FLAGS) });

/** Column j: its slot s, values v and closure r; of texts as bytes t with start a, end z and hash h. */
function declare(w: Writer, { slot, text, name }: Target): void {
  w.line(`const s${name} = ${w.bind(slot)}, v${name} = s${name}.cells.column, r${name} = s${name}.read;`);
  if (text !== null) w.line(`const t${name} = ${w.bind(text)}, a${name} = t${name}.start, z${name} = t${name}.end, h${name} = t${name}.hash;`);
}

/** Columns of keys that had no value in the record are NULL; where one must not be, the plain decoder says so. */
function absent(w: Writer, words: readonly (readonly Key[])[]): void {
  const bits = (of: readonly Key[]): number => of.reduce((all, k) => all | flag(k).bit, 0);
  const needed = (k: Key): boolean => k.slots.some(s => s.column.required || s.column.time !== null);
  w.line(`if (${words.map((of, j) => `seen${j} !== ${bits(of)}`).join(' || ')}) {`);
  words.forEach((of, j) => { w.line(`if ((seen${j} & ${bits(of.filter(needed))}) !== ${bits(of.filter(needed))}) break fast;`); });
  for (const k of words.flat()) {
    if (needed(k)) continue;
    w.line(`if ((${flag(k).word} & ${flag(k).bit}) === 0) { ${k.slots.map(s => `${w.bind(s)}.nulls[row] = 1; ${w.bind(s)}.anyNull = true;`).join(' ')} }`);
  }
  w.line('}');
}

/** The first byte at or after `p` that is no blank, or `e`; `p` itself where that is beyond `e`. */
function blanks(b: Buffer, p: number, e: number): number {
  while (p < e) {
    const c = b[p] as number;
    if (c !== 32 && c !== 10 && c !== 13 && c !== 9) break;
    p++;
  }
  return p;
}
