import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import { PipeError } from '../errors.ts';
import type { StateSlot } from '../sql/functions/define.ts';
import { WAYS_OUT } from '../state/store.ts';
import type { Pane } from './pane.ts';

/*
 * A piece of a pane with many groups, as the state file holds it in table `packed`: some 20 bytes a group and a copy of memory, where
 * a row costs ten times as much. The pieces of a pane in the order of `seq` make it whole: each adds groups and changes earlier ones.
 *
 *   0  u32 magic 'pc01'   4  u32 crc32 of the bytes from 8 on   8  u32 groups before   12 u32 groups added, n   16 u32 groups changed, m
 *   20 u32 bytes of keys   24 u32 groups emitted   28 u32 bytes of all slots of no numbers   32 i64 window_start (0 without a window)
 *   40 i32 changed[m]   i32 ends of keys[n] (from 0)   keys (group-key.ts)   padding to 8
 *   for each slot of numbers, in the order of the state table's columns: f64[m + n], those of the changed groups first
 *   u8 pending[m + n], only without a window   then the other slots: one array each of m + n values as saved, by v8.serialize
 *
 * All numbers are little-endian, as the views over them are.
 */
const MAGIC = 0x31306370;
const HEAD = 40;

const aligned = (n: number): number => (n + 7) & ~7;
const isNumbers = (s: StateSlot): boolean => s.repr === 'f64';

/** The groups [from, to) of a pane as added, and those in `changed` as changed. */
export function packChunk(pane: Pane, slots: readonly StateSlot[], from: number, to: number, changed: Int32Array): Buffer {
  const n = to - from;
  const m = changed.length;
  const keyFrom = pane.keyAt[from] as number;
  const keyBytes = (pane.keyAt[to] as number) - keyFrom;
  const others = slots.flatMap((s, j) => (isNumbers(s) ? [] : [saved(pane.state[j] as unknown[], s, from, to, changed)]));
  const tail = others.length === 0 ? Buffer.alloc(0) : serialize(others);
  const numbersAt = aligned(HEAD + 4 * (m + n) + keyBytes);
  const numbers = slots.length - others.length;
  const pendingAt = numbersAt + 8 * numbers * (m + n);
  const tailAt = pendingAt + (pane.pending === null ? 0 : m + n);
  const b = Buffer.allocUnsafeSlow(tailAt + tail.length);
  [MAGIC, 0, from, n, m, keyBytes, pane.emitted, tail.length].forEach((v, i) => b.writeUInt32LE(v, 4 * i));
  b.writeBigInt64LE(BigInt(pane.end === Infinity ? 0 : pane.start), 32);
  const ints = new Int32Array(b.buffer, HEAD, m + n);
  ints.set(changed);
  for (let g = 0; g < n; g++) ints[m + g] = (pane.keyAt[from + g + 1] as number) - keyFrom;
  pane.keyBytes.copy(b, HEAD + 4 * (m + n), keyFrom, keyFrom + keyBytes);
  b.fill(0, HEAD + 4 * (m + n) + keyBytes, numbersAt);
  let at = numbersAt;
  slots.forEach((s, j) => {
    if (!isNumbers(s)) return;
    const column = pane.state[j] as Float64Array;
    const to64 = new Float64Array(b.buffer, at, m + n);
    for (let i = 0; i < m; i++) to64[i] = column[changed[i] as number] as number;
    to64.set(column.subarray(from, to), m);
    at += 8 * (m + n);
  });
  if (pane.pending !== null) {
    for (let i = 0; i < m; i++) b[at + i] = pane.pending[changed[i] as number] as number;
    b.set(pane.pending.subarray(from, to), at + m);
  }
  tail.copy(b, tailAt);
  b.writeUInt32LE(crc32(b.subarray(8)), 4);
  return b;
}

function saved(column: unknown[], slot: StateSlot, from: number, to: number, changed: Int32Array): unknown[] {
  const save = slot.save ?? (v => v);
  const values: unknown[] = [];
  for (const g of changed) values.push(save(column[g]));
  for (let g = from; g < to; g++) values.push(save(column[g]));
  return values;
}

/** Start of the window that a piece belongs to, epoch ms. Throws system.state.corrupt when the bytes are not what was written. */
export function chunkStart(b: Buffer): number {
  if (b.length < HEAD || b.readUInt32LE(0) !== MAGIC || crc32(b.subarray(8)) !== b.readUInt32LE(4)) {
    throw new PipeError('system.state.corrupt', 'a packed piece of the state file is damaged: its checksum is wrong', { hint: WAYS_OUT });
  }
  return Number(b.readBigInt64LE(32));
}

/** Puts a checked piece into the pane that has all pieces before it. */
export function unpackChunk(pane: Pane, slots: readonly StateSlot[], data: Buffer): void {
  // views need an alignment that a buffer from SQLite may lack
  const b = Buffer.from(new Uint8Array(data).buffer);
  const [from, n, m, keyBytes, emitted, tailBytes] = [8, 12, 16, 20, 24, 28].map(p => b.readUInt32LE(p)) as [number, number, number, number, number, number];
  const ints = new Int32Array(b.buffer, HEAD, m + n);
  const keysAt = HEAD + 4 * (m + n);
  pane.adopt(b.subarray(keysAt, keysAt + keyBytes), ints.subarray(m));
  const group = (i: number): number => (i < m ? (ints[i] as number) : from + i - m);
  let at = aligned(keysAt + keyBytes);
  slots.forEach((s, j) => {
    if (!isNumbers(s)) return;
    const values = new Float64Array(b.buffer, at, m + n);
    const column = pane.state[j] as Float64Array;
    for (let i = 0; i < m; i++) column[ints[i] as number] = values[i] as number;
    column.set(values.subarray(m), from);
    at += 8 * (m + n);
  });
  if (pane.pending !== null) {
    for (let i = 0; i < m + n; i++) pane.pending[group(i)] = b[at + i] as number;
    at += m + n;
  }
  // without a window each group says for itself whether it is out, and the next end begins with the first
  pane.emitted = pane.pending === null ? emitted : 0;
  if (tailBytes === 0) return;
  const others = deserialize(b.subarray(at)) as unknown[][];
  let next = 0;
  slots.forEach((s, j) => {
    if (isNumbers(s)) return;
    const column = pane.state[j] as unknown[];
    const load = s.load ?? (v => v);
    (others[next++] as unknown[]).forEach((v, i) => { column[group(i)] = load(v); });
  });
}
