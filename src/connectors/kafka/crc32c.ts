/** CRC-32C (Castagnoli, RFC 3720 B.4), the checksum of record batches, by sixteen tables: four words of 32 bits at a step. */
const tables: readonly Int32Array[] = Array.from({ length: 16 }, () => new Int32Array(256));
const [t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14, t15] = tables as [
  Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array,
  Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array,
];
for (let i = 0; i < 256; i++) {
  let c = i;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  t0[i] = c;
}
for (let i = 0; i < 256; i++) {
  for (let t = 1; t < 16; t++) {
    const before = (tables[t - 1] as Int32Array)[i] as number;
    (tables[t] as Int32Array)[i] = (before >>> 8) ^ (t0[before & 255] as number);
  }
}

/** Of bytes [start, end). The host is little-endian, as all that Node runs on. */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  let c = -1;
  let p = start;
  while (p < end && ((bytes.byteOffset + p) & 3) !== 0) c = (c >>> 8) ^ (t0[(c ^ (bytes[p++] as number)) & 255] as number);
  const steps = (end - p) >> 4;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + p, steps * 4);
  for (let i = 0; i < words.length; i += 4) {
    const w = (words[i] as number) ^ c;
    const x = words[i + 1] as number;
    const y = words[i + 2] as number;
    const z = words[i + 3] as number;
    c = (t15[w & 255] as number) ^ (t14[(w >>> 8) & 255] as number) ^ (t13[(w >>> 16) & 255] as number) ^ (t12[w >>> 24] as number)
      ^ (t11[x & 255] as number) ^ (t10[(x >>> 8) & 255] as number) ^ (t9[(x >>> 16) & 255] as number) ^ (t8[x >>> 24] as number)
      ^ (t7[y & 255] as number) ^ (t6[(y >>> 8) & 255] as number) ^ (t5[(y >>> 16) & 255] as number) ^ (t4[y >>> 24] as number)
      ^ (t3[z & 255] as number) ^ (t2[(z >>> 8) & 255] as number) ^ (t1[(z >>> 16) & 255] as number) ^ (t0[z >>> 24] as number);
  }
  for (p += steps * 16; p < end; p++) c = (c >>> 8) ^ (t0[(c ^ (bytes[p] as number)) & 255] as number);
  return ~c >>> 0;
}
