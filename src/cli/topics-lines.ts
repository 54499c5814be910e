import { PipeError } from '../errors.ts';

const NEWLINE = 10;
/** A line longer than this is no record of anybody. */
const MAX_LINE_BYTES = 64 << 20;

/** Cuts a stream of bytes into lines; the last one needs no newline. */
export class LineSplitter {
  #rest: Buffer[] = [];
  #restBytes = 0;
  #lines = 0;

  /** Lines that are complete with this chunk. Throws user.data.too_large. */
  push(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, start)) {
      lines.push(this.#complete(chunk.subarray(start, at)));
      start = at + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return lines;
  }

  /** What follows the last newline, or null. */
  end(): Buffer | null { return this.#restBytes === 0 ? null : this.#complete(Buffer.alloc(0)); }

  #complete(tail: Buffer): Buffer {
    this.#lines++;
    if (this.#restBytes === 0) return tail;
    const line = Buffer.concat([...this.#rest, tail]);
    this.#rest = [];
    this.#restBytes = 0;
    return line;
  }

  #keep(part: Buffer): void {
    this.#rest.push(part);
    this.#restBytes += part.length;
    if (this.#restBytes > MAX_LINE_BYTES) throw new PipeError('user.data.too_large', `line ${this.#lines + 1} is longer than ${MAX_LINE_BYTES >> 20} MB`, { hint: 'records are one a line' });
  }
}

export type Next = { readonly kind: 'chunk'; readonly chunk: Buffer } | { readonly kind: 'pause' | 'end' | 'abort' };

/** Chunks of a stream with the pauses between them. */
export class PausingReader {
  readonly #chunks: AsyncIterator<Buffer | string>;
  readonly #signal: AbortSignal;
  #pending: Promise<IteratorResult<Buffer | string>> | null = null;

  constructor(stream: NodeJS.ReadableStream, signal: AbortSignal) {
    this.#chunks = stream[Symbol.asyncIterator]();
    this.#signal = signal;
  }

  /** The next chunk; 'pause' when there is none within `ms`, which may be Infinity. */
  async next(ms: number): Promise<Next> {
    if (this.#signal.aborted) return { kind: 'abort' };
    this.#pending ??= this.#chunks.next();
    let timer: NodeJS.Timeout | undefined;
    let abort = (): void => undefined;
    const other = new Promise<Next>(done => {
      if (ms !== Infinity) timer = setTimeout(() => done({ kind: 'pause' }), ms);
      abort = () => done({ kind: 'abort' });
      this.#signal.addEventListener('abort', abort);
    });
    try {
      return await Promise.race([other, this.#pending.then(r => this.#chunk(r))]);
    } finally {
      clearTimeout(timer);
      this.#signal.removeEventListener('abort', abort);
    }
  }

  #chunk(r: IteratorResult<Buffer | string>): Next {
    this.#pending = null;
    return r.done === true ? { kind: 'end' } : { kind: 'chunk', chunk: typeof r.value === 'string' ? Buffer.from(r.value) : r.value };
  }
}
