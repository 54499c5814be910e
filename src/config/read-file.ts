import { closeSync, openSync, readSync } from 'node:fs';

/** A pipeline file has at most so many bytes. */
export const MAX_BYTES = 1 << 20;

/** What a file begins with, one byte more than a pipeline file may have at most: a device or a pipe does not say how long it is, and need not end. */
export function firstBytes(file: string): Buffer {
  const fd = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (let n = -1; n !== 0 && length < bytes.length; length += n) n = readSync(fd, bytes, length, bytes.length - length, null);
    return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}
