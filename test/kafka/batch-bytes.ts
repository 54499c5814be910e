import { crc32c } from '../../src/connectors/kafka/crc32c.ts';

/** A batch with something else in its header, and the right checksum. */
export function changed(batch: Buffer, change: (b: Buffer) => void): Buffer {
  const b = Buffer.from(batch);
  change(b);
  b.writeUInt32BE(crc32c(b, 21, b.length), 17);
  return b;
}

/** The same batch with its records compressed: with other bytes and the number of their codec. */
export const compressed = (batch: Buffer, codec: number, bytes: Buffer): Buffer => changed(Buffer.concat([batch.subarray(0, 61), bytes]), b => {
  b.writeInt32BE(b.length - 12, 8);
  b.writeInt16BE((b.readInt16BE(21) & ~7) | codec, 21);
});
