import { ByteWriter } from '../../../engine/bytes.ts';
import { TextColumn, hashBytes, textBytes, writeWtf8 } from '../../../sql/values/text-column.ts';

/**
 * A column of texts as ranges of the bytes they were read from, so that nothing is copied. A text that does not stand there as it is
 * (escapes, 1e3) is put into an arena of its own; then the texts of the whole batch move there, because a column has one buffer.
 */
export class TextCells {
  /** Of texts in the arena `~position`, until they all are. */
  start = new Int32Array(0);
  end = new Int32Array(0);
  hash = new Int32Array(0);
  readonly #arena = new ByteWriter(0);
  #put = false;

  reserve(rows: number): void {
    this.start = new Int32Array(rows);
    this.end = new Int32Array(rows);
    this.hash = new Int32Array(rows);
  }

  begin(): void {
    this.#arena.reset();
    this.#put = false;
  }

  put(row: number, text: string): void {
    const arena = this.#arena;
    arena.reserve(textBytes(text.length));
    const at = arena.pos;
    arena.pos = writeWtf8(text, arena.buf, at);
    this.start[row] = ~at;
    this.end[row] = arena.pos;
    this.hash[row] = hashBytes(arena.buf, at, arena.pos);
    this.#put = true;
  }

  /** The first `rows` texts, which were read from `data`; those that are NULL are ''. */
  column(data: Buffer, rows: number, nulls: Uint8Array | null): TextColumn {
    const { start, end, hash } = this;
    if (nulls !== null) for (let i = 0; i < rows; i++) if (nulls[i] === 1) start[i] = end[i] = 0;
    if (!this.#put) return new TextColumn(data, start, end, hash);
    const arena = this.#arena;
    for (let i = 0; i < rows; i++) {
      const s = start[i] as number;
      if (s < 0) {
        start[i] = ~s;
      } else {
        start[i] = arena.pos;
        arena.bytes(data.subarray(s, end[i]));
        end[i] = arena.pos;
      }
    }
    return new TextColumn(arena.buf, start, end, hash);
  }
}
