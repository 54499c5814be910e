import { crc32cCode, FOLD, TABLE_BYTES, TABLES } from './crc32c-code.ts';

/** CRC-32C (Castagnoli, RFC 3720 B.4), the checksum of record batches. Reversed polynomial. */
const POLYNOMIAL = 0x82f63b78;
/** Bytes that are copied to the code's memory at once. */
const CHUNK = 128 << 10;
const PAGE = 64 << 10;
const VECTOR = 16;
/** Shorter messages are not folded. */
const FOLD_FROM = 4 * FOLD;
/** Memory: the tables, the bytes before the chunk that its own are folded with, the chunk, what is left at the end. */
const BEFORE = Math.ceil(FOLD / VECTOR) * VECTOR;
const CHUNK_AT = TABLES * TABLE_BYTES + BEFORE;
const REST_AT = CHUNK_AT + CHUNK + VECTOR;
const MEMORY_BYTES = REST_AT + FOLD + 3 * VECTOR;

/** Takes the checksum so far, inverted, and gives that of the bytes [from, to) of the memory added to it. */
type Step = (c: number, from: number, to: number) => number;
/** See crc32c-code.ts. */
type Fold = (base: number, from: number, to: number) => void;

/** What of it is used here; TypeScript has it with browsers only. */
declare const WebAssembly: {
  readonly Memory: new (o: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
} | undefined;

interface Code {
  readonly memory: Uint8Array;
  readonly step: Step;
  readonly fold: Fold | null;
}

/** Table k has the checksum of each byte with k bytes of 0 behind it. */
function tablesIn(memory: ArrayBuffer): Int32Array {
  const words = new Int32Array(memory, 0, (TABLES * TABLE_BYTES) / 4);
  for (let i = 0; i < 256; i++) {
    let c = i;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ POLYNOMIAL : c >>> 1;
    words[i] = c;
  }
  for (let at = 256; at < TABLES * 256; at++) {
    const before = words[at - 256] as number;
    words[at] = (before >>> 8) ^ (words[before & 255] as number);
  }
  return words;
}

/** Without WebAssembly (`node --jitless`), or where it has no vectors: a byte at a time. */
function plain(): Code {
  const memory = new Uint8Array(MEMORY_BYTES);
  const table = tablesIn(memory.buffer);
  return {
    memory, fold: null, step: (start, from, to) => {
      let c = start;
      for (let p = from; p < to; p++) c = (c >>> 8) ^ (table[(c ^ (memory[p] as number)) & 255] as number);
      return c;
    },
  };
}

function load(): Code {
  if (typeof WebAssembly === 'undefined') return plain();
  const memory = new WebAssembly.Memory({ initial: Math.ceil(MEMORY_BYTES / PAGE) });
  let module: object;
  try {
    module = new WebAssembly.Module(crc32cCode());
  } catch {
    return plain();
  }
  const { exports } = new WebAssembly.Instance(module, { host: { memory } });
  tablesIn(memory.buffer);
  return { memory: new Uint8Array(memory.buffer), step: exports.step as Step, fold: exports.fold as Fold };
}

let code: Code | null = null;

/** Of bytes [start, end). */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  const used = (code ??= load());
  const { memory, step } = used;
  if (used.fold !== null && end - start >= FOLD_FROM) return folded(used, used.fold, bytes, start, end);
  let c = -1;
  for (let at = start; at < end; at += CHUNK) {
    const n = Math.min(CHUNK, end - at);
    memory.set(bytes.subarray(at, at + n), CHUNK_AT);
    c = step(c, CHUNK_AT, CHUNK_AT + n);
  }
  return ~c >>> 0;
}

function folded({ memory, step }: Code, fold: Fold, bytes: Uint8Array, start: number, end: number): number {
  // whole vectors, and at least FOLD bytes are left
  const stop = start + ((end - start - FOLD) & -16);
  memory.fill(0, CHUNK_AT - BEFORE, CHUNK_AT);
  for (let at = start; at < stop; at += CHUNK) {
    const n = Math.min(CHUNK, stop - at);
    memory.set(bytes.subarray(at, at + n), CHUNK_AT);
    // a checksum begins with -1, which is the same as other first bytes
    if (at === start) for (let i = 0; i < 4; i++) memory[CHUNK_AT + i] = ~(memory[CHUNK_AT + i] as number);
    fold(CHUNK_AT - FOLD, CHUNK_AT, CHUNK_AT + n);
    memory.copyWithin(CHUNK_AT - BEFORE, CHUNK_AT + n - BEFORE, CHUNK_AT + n);
  }
  // what is left gets the last of those before it, and nothing of its own
  memory.fill(0, CHUNK_AT, CHUNK_AT + BEFORE + VECTOR);
  memory.set(bytes.subarray(stop, end), REST_AT);
  const restEnd = REST_AT + end - stop;
  fold(CHUNK_AT - FOLD, REST_AT, restEnd);
  return ~step(0, REST_AT, restEnd) >>> 0;
}
