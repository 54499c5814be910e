/** A compression of record batches. */
export interface Codec {
  readonly name: string;
  /**
   * What was compressed, possibly as a view of a larger buffer. Throws an Error that says what is damaged. Whatever the bytes are, time and
   * memory stay in proportion to them and to `limit`, the most bytes that may come out.
   */
  decompress(bytes: Buffer, limit: number): Buffer;
}
