import { closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { PipeError } from '../errors.ts';

/** A pipeline file has at most so many bytes. */
export const MAX_BYTES = 1 << 20;

/** What `-` stands for. */
export const STDIN = '/dev/stdin';

/** ms between two looks at a named pipe, how long one may have no writer, and how long its writer may bring nothing. */
const LOOK_MS = 10;
const WRITER_MS = 2000;
const SILENT_MS = 30_000;

/**
 * What a file begins with, one byte more than a pipeline file may have at most: a device or a pipe does not say how long it is, and need not end.
 * Throws user.config.file_missing for a pipe that nobody writes to.
 */
export function firstBytes(file: string): Buffer {
  // a named pipe without a writer would hold up the open, deaf to Ctrl-C; a terminal must wait for who types
  const stat = statSync(file);
  // a socket, as some give for stdin, cannot be opened by its name
  const isSocket = stat.isSocket() && file === STDIN;
  const isPipe = stat.isFIFO() || isSocket;
  const fd = isSocket ? 0 : openSync(file, constants.O_RDONLY | (isPipe ? constants.O_NONBLOCK : 0));
  try {
    const bytes = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (let n = -1; n !== 0 && length < bytes.length; length += n) n = isPipe ? waitFor(fd, bytes, length, file) : readSync(fd, bytes, length, bytes.length - length, null);
    return bytes.subarray(0, length);
  } finally {
    if (!isSocket) closeSync(fd);
  }
}

/** Reads what a pipe brings next behind `length`, 0 at its end; the end before its first byte may mean that its writer is yet to come. */
function waitFor(pipe: number, bytes: Buffer, length: number, file: string): number {
  for (let waited = 0; ; waited += LOOK_MS) {
    const n = readNow(pipe, bytes, length);
    if (n !== null && (n > 0 || length > 0)) return n;
    if (waited >= (n === null ? SILENT_MS : WRITER_MS)) {
      throw new PipeError('user.config.file_missing', `${file} is a pipe ${n === null ? `that brought nothing for ${SILENT_MS / 1000} s` : 'that nobody writes to'}`, { hint: 'give a file, or start what writes to it first' });
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS);
  }
}

/** Null: there is a writer, which has written nothing yet. */
function readNow(pipe: number, bytes: Buffer, length: number): number | null {
  try {
    return readSync(pipe, bytes, length, bytes.length - length, null);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return null;
    throw error;
  }
}
