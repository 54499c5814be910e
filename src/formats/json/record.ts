import { isUtf8 } from 'node:buffer';
import type { RecordBatch } from '../../engine/records.ts';
import type { DecodeColumn } from '../format.ts';
import { KeyTable } from './keys.ts';
import { empty, misfit, missing, notJson, notObject, notUtf8, tombstone, tooDeep, tooLarge, trailing, type Problem } from './problem.ts';
import { CLOSE_OBJECT, COLON, COMMA, JsonScanner, MAX_DEPTH, OPEN_OBJECT, QUOTE } from './scan.ts';
import { Slot } from './slot.ts';
import { unescape } from './text.ts';

const LOWER_N = 110;

/**
 * Strict JSON (RFC 8259, accepts what JSON.parse accepts, but for nesting beyond MAX_DEPTH) from the bytes of one record straight
 * into a row of the wanted columns. Values nobody wants are checked, not made. Of duplicate keys the last wins.
 */
export class RecordReader {
  readonly slots: readonly Slot[];
  readonly scan = new JsonScanner();
  readonly #keys: KeyTable;
  readonly #maxRecordBytes: number;
  /** Columns that the record at hand gave no value yet. */
  #absent = 0;
  /** Columns whose value in the record at hand is not of their type. */
  #misfits = 0;
  /** The batch whose bytes were looked at as a whole, which ASCII never needs, and whether they all are UTF-8. */
  #looked: RecordBatch | null = null;
  #batchIsUtf8 = false;

  constructor(columns: readonly DecodeColumn[], maxRecordBytes: number) {
    this.slots = columns.map(c => new Slot(c, this.scan));
    this.#keys = new KeyTable(chainByKey(this.slots));
    this.#maxRecordBytes = maxRecordBytes;
  }

  /**
   * Reads record `i` into row `row`, whose null maps are 1: null, or why it is no row. What the row then holds has no meaning.
   */
  read(records: RecordBatch, i: number, row: number): Problem | null {
    const s = records.valueStart[i] as number;
    if (s < 0) return tombstone;
    const e = records.valueEnd[i] as number;
    if (s === e) return empty;
    if (e - s > this.#maxRecordBytes) return tooLarge(e - s, this.#maxRecordBytes);
    const b = records.data;
    this.#absent = this.slots.length;
    if (this.#misfits > 0) this.#forgiveAll();
    this.scan.nonAscii = false;
    const end = this.#document(b, s, e, row);
    if (end !== e) return this.#rejected(b, s, e, end);
    if (this.scan.nonAscii && !this.isUtf8(records, s, e)) return notUtf8;
    return this.#absent === 0 && this.#misfits === 0 ? null : this.#incomplete(b, row);
  }

  /** Returns `e`, or where it stopped before (bytes after the object), or `~position` of what is wrong. */
  #document(b: Buffer, s: number, e: number, row: number): number {
    let p = s;
    if (b[p] !== OPEN_OBJECT) {
      p = this.scan.blanks(b, p, e);
      if (p >= e || b[p] !== OPEN_OBJECT) return ~p;
    }
    p = this.#object(b, p + 1, e, row);
    return p < 0 || p === e ? p : this.scan.blanks(b, p, e);
  }

  /** `p` is after the opening brace, the result after the closing one. */
  #object(b: Buffer, p: number, e: number, row: number): number {
    const scan = this.scan;
    if (p < e && b[p] !== QUOTE) {
      p = scan.blanks(b, p, e);
      if (p < e && b[p] === CLOSE_OBJECT) return p + 1;
    }
    for (let n = 0; ; n++) {
      if (p >= e || b[p] !== QUOTE) return ~Math.min(p, e);
      let slot = this.#keys.expected(b, p + 1, n);
      if (slot !== null) {
        p += slot.bytes.length + 2;
      } else {
        const start = p + 1;
        p = scan.string(b, start, e);
        if (p < 0) return p;
        slot = this.#find(b, start, p - 1, n);
      }
      if (p >= e) return ~e;
      if (b[p] !== COLON) {
        p = scan.blanks(b, p, e);
        if (p >= e || b[p] !== COLON) return ~p;
      }
      p++;
      if (p < e && (b[p] as number) <= 32) p = scan.blanks(b, p, e);
      if (p >= e) return ~e;
      p = slot === null ? scan.value(b, p, e, 2) : this.#assign(slot, b, p, e, row);
      if (p < 0) return p;
      if (p < e && (b[p] as number) <= 32) p = scan.blanks(b, p, e);
      if (p >= e) return ~e;
      if (b[p] === CLOSE_OBJECT) return p + 1;
      if (b[p] !== COMMA) return ~p;
      p++;
      if (p < e && (b[p] as number) <= 32) p = scan.blanks(b, p, e);
    }
  }

  #find(b: Buffer, start: number, end: number, n: number): Slot | null {
    for (let i = start; i < end; i++) if (b[i] === 92) return this.#keys.named(unescape(b, start, end));
    return this.#keys.find(b, start, end, n);
  }

  /** Reads the value at `p` into every column of its key. */
  #assign(first: Slot, b: Buffer, p: number, e: number, row: number): number {
    let after = 0;
    for (let slot: Slot | null = first; slot !== null; slot = slot.next) {
      if (slot.misfit >= 0) this.#forgive(slot);
      const isNull = b[p] === LOWER_N;
      after = isNull ? -1 : slot.read(b, p, e, row);
      if (after < 0) {
        after = this.scan.value(b, p, e, 2);
        if (after < 0) return after;
        if (!isNull) this.#blame(slot, p, after);
      }
      if (slot.nulls[row] === (isNull ? 0 : 1)) {
        slot.nulls[row] = isNull ? 1 : 0;
        this.#absent += isNull ? 1 : -1;
      }
    }
    return after;
  }

  #blame(slot: Slot, p: number, end: number): void {
    slot.misfit = p;
    slot.misfitEnd = end;
    this.#misfits++;
  }

  #forgive(slot: Slot): void {
    slot.misfit = -1;
    this.#misfits--;
  }

  #forgiveAll(): void {
    for (const slot of this.slots) slot.misfit = -1;
    this.#misfits = 0;
  }

  /** A whole-batch check proves every accepted record, because those begin and end with ASCII; keys and framing may make it fail. */
  isUtf8(records: RecordBatch, s: number, e: number): boolean {
    if (this.#looked !== records) {
      this.#looked = records;
      this.#batchIsUtf8 = isUtf8(records.data);
    }
    return this.#batchIsUtf8 || isUtf8(records.data.subarray(s, e));
  }

  /** The record is an object: NULLs are noted, and the first problem in the order of the columns is the record's. */
  #incomplete(b: Buffer, row: number): Problem | null {
    let problem: Problem | null = null;
    for (const slot of this.slots) {
      if (slot.misfit >= 0) {
        problem ??= misfit(slot.column, b, slot.misfit, slot.misfitEnd);
      } else if (slot.nulls[row] === 1 && (slot.column.required || slot.column.time !== null)) {
        problem ??= missing(slot.column);
      }
    }
    if (problem === null) for (const slot of this.slots) if (slot.nulls[row] === 1) slot.anyNull = true;
    return problem;
  }

  /** Why the record is no object: `end` as #document gave it. */
  #rejected(b: Buffer, s: number, e: number, end: number): Problem {
    const begin = this.scan.blanks(b, s, e);
    const isObject = begin < e && b[begin] === OPEN_OBJECT;
    let at = end;
    if (!isObject) at = this.scan.value(b, begin, e, 1);
    if (this.scan.tooDeep) {
      this.scan.tooDeep = false;
      return tooDeep(MAX_DEPTH);
    }
    if (at < 0) return notJson(b, s, e, ~at);
    const rest = this.scan.blanks(b, at, e);
    return rest < e ? trailing(b, s, rest) : notObject(b, begin);
  }
}

/** One slot per key; further columns of it hang on the first. */
function chainByKey(slots: readonly Slot[]): readonly Slot[] {
  const heads = new Map<string, Slot>();
  for (const slot of slots) {
    const head = heads.get(slot.key);
    if (head === undefined) heads.set(slot.key, slot);
    else {
      slot.next = head.next;
      head.next = slot;
    }
  }
  return [...heads.values()];
}
