/** CRC-32C (Castagnoli, RFC 3720 B.4), the checksum of record batches, by eight tables: two words of 32 bits at a step. */
const tables: readonly Int32Array[] = Array.from({ length: 8 }, () => new Int32Array(256));
const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];
for (let i = 0; i < 256; i++) {
  let c = i;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  t0[i] = c;
}
for (let i = 0; i < 256; i++) {
  for (let t = 1; t < 8; t++) {
    const before = (tables[t - 1] as Int32Array)[i] as number;
    (tables[t] as Int32Array)[i] = (before >>> 8) ^ (t0[before & 255] as number);
  }
}

/** Of bytes [start, end). The host is little-endian, as all that Node runs on. */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  let c = -1;
  let p = start;
  while (p < end && ((bytes.byteOffset + p) & 3) !== 0) c = (c >>> 8) ^ (t0[(c ^ (bytes[p++] as number)) & 255] as number);
  const pairs = (end - p) >> 3;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + p, pairs * 2);
  for (let i = 0; i < words.length; i += 2) {
    const a = (words[i] as number) ^ c;
    const b = words[i + 1] as number;
    c = (t7[a & 255] as number) ^ (t6[(a >>> 8) & 255] as number) ^ (t5[(a >>> 16) & 255] as number) ^ (t4[a >>> 24] as number)
      ^ (t3[b & 255] as number) ^ (t2[(b >>> 8) & 255] as number) ^ (t1[(b >>> 16) & 255] as number) ^ (t0[b >>> 24] as number);
  }
  for (p += pairs * 8; p < end; p++) c = (c >>> 8) ^ (t0[(c ^ (bytes[p] as number)) & 255] as number);
  return ~c >>> 0;
}
