import { BACKSLASH, QUOTE } from './scan.ts';

/*
 * Plain ASCII text into bytes, checked while it is copied. The writers return the end, or -1 at the first character that they do not know:
 * what they have written so far means nothing then. The caller has made room for the whole text.
 */

/** Longer strings go by one call that copies them, and are checked after that. */
const SHORT_TEXT = 32;

/** The inside of a JSON string: nothing that is escaped. */
export function putText(b: Buffer, at: number, s: string): number {
  const n = s.length;
  if (n > SHORT_TEXT) return putLongText(b, at, s);
  for (let i = 0; i < n; i++) {
    const c = s.charCodeAt(i);
    if (c < 32 || c > 126 || c === QUOTE || c === BACKSLASH) return -1;
    b[at + i] = c;
  }
  return at + n;
}

/** No more bytes are written than there are characters: a character beyond ASCII is cut off, or shows as a byte that is refused. */
function putLongText(b: Buffer, at: number, s: string): number {
  const end = at + b.utf8Write(s, at, s.length);
  if (end - at !== s.length) return -1;
  for (let p = at; p < end; p++) {
    const c = b[p] as number;
    if (c < 32 || c > 126 || c === QUOTE || c === BACKSLASH) return -1;
  }
  return end;
}

/** The inside of a JSON string, from bytes [from, to) of a text. */
export function putTextBytes(b: Uint8Array, at: number, source: Uint8Array, from: number, to: number): number {
  let p = at;
  for (let i = from; i < to; i++, p++) {
    const c = source[i] as number;
    if (c < 32 || c > 126 || c === QUOTE || c === BACKSLASH) return -1;
    b[p] = c;
  }
  return p;
}

/** Text as it is. */
export function putAscii(b: Uint8Array, at: number, s: string): number {
  const n = s.length;
  for (let i = 0; i < n; i++) {
    const c = s.charCodeAt(i);
    if (c > 126) return -1;
    b[at + i] = c;
  }
  return at + n;
}

/** Whether the UTF-8 of a text is the text: bytes [from, to) hold no lone surrogate, as all bytes are ASCII. */
export function isAscii(source: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if ((source[i] as number) > 126) return false;
  return true;
}
