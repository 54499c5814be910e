/*
 * The loops of CRC-32C as WebAssembly, put together here by its binary format (https://webassembly.github.io/spec/core/binary/).
 *
 * `step` is the usual loop over tables. `fold` makes a long message short first, as in "Chorba: A novel CRC32 implementation" (Russell,
 * 2024): the polynomial of CRC-32C divides 1 + x^2751 + x^4508 + x^5275 (the least multiple of four terms; the tests divide), and so its
 * eighth power too, of which the exponents are those numbers of bytes. So a byte may be taken away when it is added, bit by bit, to the bytes
 * 767, 2524 and 5275 behind it: 16 bytes at a time, without a table. Only the last bytes are left, which have the checksum of the whole.
 */

/** Exponents of the multiple, in bytes: a byte is added to those FOLD - FOLD_B, FOLD - FOLD_A and FOLD behind it. */
export const [FOLD_A, FOLD_B, FOLD] = [2751, 4508, 5275] as const;

/** Sixteen bytes are taken at a step, each through a table of its own. */
export const TABLES = 16;
export const TABLE_BYTES = 1024;

const I32 = 0x7f;
const VOID = 0x40;
const op = {
  block: 0x02, loop: 0x03, end: 0x0b, br: 0x0c, brIf: 0x0d, get: 0x20, set: 0x21, load: 0x28, load8: 0x2d, const: 0x41, eq: 0x46, geU: 0x4f, add: 0x6a, sub: 0x6b, and: 0x71, xor: 0x73,
  shl: 0x74, shr: 0x76, simd: 0xfd,
} as const;

/** LEB128 without sign. */
function unsigned(v: number): number[] {
  const bytes: number[] = [];
  let rest = v;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return [...bytes, rest];
}

/** LEB128 with sign. */
function signed(v: number): number[] {
  const bytes: number[] = [];
  let rest = v;
  for (; rest > 63 || rest < -64; rest >>= 7) bytes.push((rest & 127) | 128);
  return [...bytes, rest & 127];
}

const sized = (bytes: readonly number[]): number[] => [...unsigned(bytes.length), ...bytes];
const section = (id: number, ...items: readonly (readonly number[])[]): number[] => [id, ...sized([...unsigned(items.length), ...items.flat()])];
const name = (text: string): number[] => sized([...Buffer.from(text)]);

/** Of vectors of 16 bytes; addresses may be any. */
const vector = {
  load: (offset: number): number[] => [op.simd, 0x00, 0, ...unsigned(offset)],
  store: [op.simd, 0x0b, 0, 0],
  xor: [op.simd, 0x51],
};

/** Locals: the arguments, the end of whole steps, four words. */
const [C, P, END, STOP, WORD] = [0, 1, 2, 3, 4] as const;

const get = (local: number): number[] => [op.get, ...unsigned(local)];
const set = (local: number): number[] => [op.set, ...unsigned(local)];
const int = (v: number): number[] => [op.const, ...signed(v)];
const load = (offset: number): number[] => [op.load, 0, ...unsigned(offset)];

/** The entry of `table` for byte `byte` of the word on the stack. */
const lookUp = (table: number, byte: number): number[] => [
  ...(byte === 0 ? [...int(2), op.shl] : [...int(8 * byte - 2), op.shr]), ...int(1020), op.and, op.load, 2, ...unsigned(table * TABLE_BYTES),
];

/** step(c, from, to): the checksum so far, inverted, with that of the bytes [from, to). */
function stepBody(): number[] {
  const words = [0, 1, 2, 3];
  return [
    ...get(P), ...get(END), ...get(P), op.sub, ...int(-16), op.and, op.add, ...set(STOP),
    op.block, VOID, op.loop, VOID, ...get(P), ...get(STOP), op.eq, op.brIf, 1,
    ...words.flatMap(w => [...get(P), ...load(4 * w), ...(w === 0 ? [...get(C), op.xor] : []), ...set(WORD + w)]),
    ...words.flatMap(w => words.flatMap(b => [...get(WORD + w), ...lookUp(TABLES - 1 - 4 * w - b, b), ...(w + b === 0 ? [] : [op.xor])])), ...set(C),
    ...get(P), ...int(16), op.add, ...set(P), op.br, 0, op.end, op.end,
    op.block, VOID, op.loop, VOID, ...get(P), ...get(END), op.eq, op.brIf, 1,
    ...get(C), ...get(P), op.load8, 0, 0, op.xor, ...lookUp(0, 0), ...get(C), ...int(8), op.shr, op.xor, ...set(C),
    ...get(P), ...int(1), op.add, ...set(P), op.br, 0, op.end, op.end,
    ...get(C), op.end,
  ];
}

/** fold(base, from, to): to the bytes [from, to), in whole vectors, those at base + 0, FOLD_A and FOLD_B on are added; `from` and `base` move on together. */
function foldBody(): number[] {
  const base = C;
  return [
    op.block, VOID, op.loop, VOID, ...get(P), ...get(END), op.geU, op.brIf, 1,
    ...get(P), ...get(P), ...vector.load(0), ...[0, FOLD_A, FOLD_B].flatMap(offset => [...get(base), ...vector.load(offset), ...vector.xor]), ...vector.store,
    ...get(P), ...int(16), op.add, ...set(P), ...get(base), ...int(16), op.add, ...set(base), op.br, 0, op.end, op.end,
    op.end,
  ];
}

/** A module that imports `host.memory`, with the tables at 0, and exports `step` and `fold`. */
export function crc32cCode(): Uint8Array {
  return Uint8Array.from([
    ...Buffer.from('\0asm'), 1, 0, 0, 0,
    ...section(1, [0x60, ...sized([I32, I32, I32]), ...sized([I32])], [0x60, ...sized([I32, I32, I32]), ...sized([])]),
    ...section(2, [...name('host'), ...name('memory'), 2, 0, 1]),
    ...section(3, [0], [1]),
    ...section(7, [...name('step'), 0, 0], [...name('fold'), 0, 1]),
    ...section(10, sized([...unsigned(1), ...unsigned(5), I32, ...stepBody()]), sized([...unsigned(0), ...foldBody()])),
  ]);
}
