import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import { PipeError } from '../errors.ts';
import type { GroupFn, GroupLayout } from './group-table.ts';
import { stateColumn, type StateColumn, type StateSlot } from '../sql/functions/define.ts';
import { hashBytes } from '../sql/values/text-column.ts';
import { PARTS, WAYS_OUT } from '../state/store.ts';
import type { Pane } from './pane.ts';

/*
 * A piece of a pane that has left memory, as table `spilled` holds it: partial groups whose keys have hashes of a range, sorted by
 * partition, so that a part of them is read without the rest. Groups of several pieces that have one key are folded together.
 *
 *   0 u32 magic 'ps01'   4 u32 crc32 of the bytes from 8 on   8 u32 groups, n   12 u32 bytes of keys   16 u32 bytes of the rest   20 u32 0
 *   24 i32 ends of keys[n] (from 0)   keys (group-key.ts)   padding to 8
 *   for each slot of numbers, in the order of the state table's columns: f64[n]   u16 partition[n]   u8 pending[n], only without a window
 *   then by v8.serialize [others, logs]: the other slots, an array each of n values as saved, and for each aggregate that keeps its values
 *   (row-log.ts) [first slot, Int32Array of groups, Float64Array of values], in the order of the rows within each group
 *
 * All numbers are little-endian, as the views over them are.
 */
const MAGIC = 0x31307370;
const HEAD = 24;

const aligned = (n: number): number => (n + 7) & ~7;
const isNumbers = (s: StateSlot): boolean => s.repr === 'f64';

type Log = readonly [call: number, groups: Int32Array, values: Float64Array];

/** Of 4096 partitions: not the hash of the pane's table, which each process chooses anew. `seed` is that of the state. */
function partOf(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let h = 0x811c9dc5 ^ seed;
  for (let p = from; p < to; p++) h = Math.imul(h ^ (bytes[p] as number), 0x01000193);
  // the finaliser of MurmurHash3
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 20) & (PARTS - 1);
}

/** Groups of a pane in the order of their partitions; the values of its log in that order, too. */
export interface Sorted {
  readonly order: Int32Array;
  /** By place in `order`. */
  readonly parts: Uint16Array;
  readonly logs: readonly Log[];
}

export function sortGroups(pane: Pane, seed: number): Sorted {
  const n = pane.groups;
  const own = new Uint16Array(n);
  for (let g = 0; g < n; g++) own[g] = partOf(pane.keyBytes, pane.keyAt[g] as number, pane.keyAt[g + 1] as number, seed);
  const order = countingSort(own, n, PARTS);
  const parts = new Uint16Array(n);
  const places = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    parts[i] = own[order[i] as number] as number;
    places[order[i] as number] = i;
  }
  const logs = [...(pane.log?.calls() ?? [])].map(([call, { groups, values, n: rows }]): Log => {
    const at = groups.slice(0, rows);
    for (let i = 0; i < rows; i++) at[i] = places[at[i] as number] as number;
    const sorted = countingSort(at, rows, n);
    return [call, sorted.map(i => at[i] as number), Float64Array.from(sorted, i => values[i] as number)];
  });
  return { order, parts, logs };
}

/** Indices [0, n) in the order of their keys below `most`; those of one key stay in their order. */
function countingSort(keys: Uint16Array | Int32Array, n: number, most: number): Int32Array {
  const at = new Int32Array(most + 1);
  for (let i = 0; i < n; i++) at[(keys[i] as number) + 1] = (at[(keys[i] as number) + 1] as number) + 1;
  for (let k = 0; k < most; k++) at[k + 1] = (at[k + 1] as number) + (at[k] as number);
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const k = keys[i] as number;
    order[at[k] as number] = i;
    at[k] = (at[k] as number) + 1;
  }
  return order;
}

/** The groups at the places [from, to) of `sorted`. */
export function packPiece(pane: Pane, slots: readonly StateSlot[], { order, parts, logs }: Sorted, from: number, to: number): Buffer {
  const n = to - from;
  let keyBytes = 0;
  for (let i = from; i < to; i++) keyBytes += (pane.keyAt[(order[i] as number) + 1] as number) - (pane.keyAt[order[i] as number] as number);
  const others = slots.flatMap((s, j) => (isNumbers(s) ? [] : [saved(pane.state[j] as unknown[], s, order, from, to)]));
  const own = logs.flatMap(log => within(log, from, to));
  const tail = others.length === 0 && own.length === 0 ? Buffer.alloc(0) : serialize([others, own]);
  const numbersAt = aligned(HEAD + 4 * n + keyBytes);
  const partsAt = numbersAt + 8 * (slots.length - others.length) * n;
  const pendingAt = partsAt + 2 * n;
  const tailAt = pendingAt + (pane.pending === null ? 0 : n);
  const b = Buffer.allocUnsafeSlow(tailAt + tail.length);
  [MAGIC, 0, n, keyBytes, tail.length, 0].forEach((v, i) => b.writeUInt32LE(v, 4 * i));
  const ends = new Int32Array(b.buffer, HEAD, n);
  const keysAt = HEAD + 4 * n;
  let end = 0;
  for (let i = 0; i < n; i++) {
    const g = order[from + i] as number;
    const [keyFrom, keyTo] = [pane.keyAt[g] as number, pane.keyAt[g + 1] as number];
    for (let p = keyFrom, q = keysAt + end; p < keyTo; p++, q++) b[q] = pane.keyBytes[p] as number;
    end += keyTo - keyFrom;
    ends[i] = end;
  }
  b.fill(0, keysAt + keyBytes, numbersAt);
  let at = numbersAt;
  slots.forEach((s, j) => {
    if (!isNumbers(s)) return;
    const column = pane.state[j] as Float64Array;
    const to64 = new Float64Array(b.buffer, at, n);
    for (let i = 0; i < n; i++) to64[i] = column[order[from + i] as number] as number;
    at += 8 * n;
  });
  new Uint16Array(b.buffer, partsAt, n).set(parts.subarray(from, to));
  if (pane.pending !== null) for (let i = 0; i < n; i++) b[pendingAt + i] = pane.pending[order[from + i] as number] as number;
  tail.copy(b, tailAt);
  b.writeUInt32LE(crc32(b.subarray(8)), 4);
  return b;
}

function saved(column: unknown[], slot: StateSlot, order: Int32Array, from: number, to: number): unknown[] {
  const save = slot.save ?? (v => v);
  const values: unknown[] = [];
  for (let i = from; i < to; i++) values.push(save(column[order[i] as number]));
  return values;
}

/** What a log has for the places [from, to), numbered from `from`. */
function within([call, groups, values]: Log, from: number, to: number): Log[] {
  const first = lowerBound(groups, from);
  const end = lowerBound(groups, to);
  return first === end ? [] : [[call, groups.slice(first, end).map(i => i - from), values.slice(first, end)]];
}

function lowerBound(sorted: Int32Array | Uint16Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Folds pieces into panes, one after the other in the order of their runs. */
export class PieceMerger {
  readonly #slots: readonly StateSlot[];
  readonly #calls: readonly { readonly fn: GroupFn; readonly at: number }[];

  constructor(a: Pick<GroupLayout, 'calls'>) {
    this.#slots = a.calls.flatMap(c => c.fn.state);
    let at = 0;
    this.#calls = a.calls.map(({ fn }) => {
      const call = { fn, at };
      at += fn.state.length;
      return call;
    });
  }

  /** The groups of partitions [from, to). Throws system.state.corrupt when the bytes are not what was written. */
  merge(pane: Pane, data: Buffer, from: number, to: number): void {
    const piece = openPiece(data, this.#slots, pane.pending !== null);
    const first = lowerBound(piece.parts, from);
    const end = lowerBound(piece.parts, to);
    const groups = new Int32Array(end - first);
    for (let i = first; i < end; i++) {
      const keyFrom = i === 0 ? 0 : (piece.ends[i - 1] as number);
      const keyTo = piece.ends[i] as number;
      const before = pane.groups;
      const g = pane.find(piece.keys, keyFrom, keyTo, hashBytes(piece.keys, keyFrom, keyTo));
      groups[i - first] = g;
      if (g === before) for (let j = 0; j < this.#slots.length; j++) (pane.state[j] as unknown[])[g] = (piece.state[j] as unknown[])[i];
      else for (const { fn, at } of this.#calls) fn.merge?.(pane.state, at, g, piece.state, i);
      if (pane.pending !== null) pane.pending[g] = (pane.pending[g] as number) | (piece.pending?.[i] as number);
    }
    for (const [call, places, values] of piece.logs) this.#replay(pane, call, places, values, first, groups);
  }

  #replay(pane: Pane, call: number, places: Int32Array, values: Float64Array, first: number, groups: Int32Array): void {
    const fn = this.#calls.find(c => c.at === call)?.fn;
    for (let k = lowerBound(places, first); k < places.length && (places[k] as number) < first + groups.length; k++) {
      const g = groups[(places[k] as number) - first] as number;
      if (pane.log !== null) pane.log.add(call, g, values[k] as number);
      else fn?.add?.(pane.state, call, g, values[k] as number);
    }
  }
}

interface Piece {
  readonly keys: Buffer;
  readonly ends: Int32Array;
  readonly parts: Uint16Array;
  readonly pending: Uint8Array | null;
  readonly state: readonly StateColumn[];
  readonly logs: readonly Log[];
}

function openPiece(data: Buffer, slots: readonly StateSlot[], pending: boolean): Piece {
  if (data.length < HEAD || data.readUInt32LE(0) !== MAGIC || crc32(data.subarray(8)) !== data.readUInt32LE(4)) {
    throw new PipeError('system.state.corrupt', 'a spilled piece of the state file is damaged: its checksum is wrong', { hint: WAYS_OUT });
  }
  // views need an alignment that a buffer from SQLite may lack
  const b = Buffer.from(new Uint8Array(data).buffer);
  const [n, keyBytes, tailBytes] = [8, 12, 16].map(p => b.readUInt32LE(p)) as [number, number, number];
  const keysAt = HEAD + 4 * n;
  let at = aligned(keysAt + keyBytes);
  const numbers = slots.map(s => {
    if (!isNumbers(s)) return null;
    at += 8 * n;
    return new Float64Array(b.buffer, at - 8 * n, n);
  });
  const parts = new Uint16Array(b.buffer, at, n);
  at += 2 * n;
  const flags = pending ? b.subarray(at, at + n) : null;
  if (pending) at += n;
  const [others, logs] = tailBytes === 0 ? [[], []] : (deserialize(b.subarray(at)) as [unknown[][], Log[]]);
  let next = 0;
  const state = slots.map((s, j) => {
    if (numbers[j] != null) return numbers[j] as Float64Array;
    const column = stateColumn(s, 0) as unknown[];
    const load = s.load ?? (v => v);
    for (const v of others[next++] as unknown[]) column.push(load(v));
    return column;
  });
  return { keys: b.subarray(keysAt, keysAt + keyBytes), ends: new Int32Array(b.buffer, HEAD, n), parts, pending: flags, state, logs };
}
