/** Nesting beyond this is refused: the scan recurses, and no sane record is deeper. The record's own object counts as 1. */
export const MAX_DEPTH = 128;

export const QUOTE = 34;
export const COMMA = 44;
export const MINUS = 45;
export const DOT = 46;
export const ZERO = 48;
export const COLON = 58;
export const OPEN_ARRAY = 91;
export const BACKSLASH = 92;
export const CLOSE_ARRAY = 93;
export const OPEN_OBJECT = 123;
export const CLOSE_OBJECT = 125;

const SPACE = 32;
const LOWER_E = 101;
const LOWER_U = 117;

const isBlank = (c: number): boolean => c === SPACE || c === 10 || c === 13 || c === 9;
export const isDigit = (c: number): boolean => c >= ZERO && c <= 57;
const isHex = (c: number): boolean => isDigit(c) || ((c | 32) >= 97 && (c | 32) <= 102);
/** `"\/bfnrt`, what may follow a backslash beside `u` */
const isEscape = (c: number): boolean => c === QUOTE || c === BACKSLASH || c === 47 || c === 98 || c === 102 || c === 110 || c === 114 || c === 116;

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

/**
 * Checks JSON (RFC 8259) in bytes [p, e) of a buffer without making values. Every method takes the position where its part
 * begins and returns the position after it, or `~position` (negative) of the first byte that does not belong there.
 * Bytes above 127 in strings are passed over: `nonAscii` tells the caller to check that they are UTF-8.
 */
export class JsonScanner {
  /** A string held a byte above 127; cleared by the caller. */
  nonAscii = false;
  /** The last failure was nesting beyond MAX_DEPTH; cleared by the caller. */
  tooDeep = false;

  blanks(b: Buffer, p: number, e: number): number {
    while (p < e && isBlank(b[p] as number)) p++;
    return p;
  }

  /** Any value, itself at nesting `depth`. */
  value(b: Buffer, p: number, e: number, depth: number): number {
    if (p >= e) return ~e;
    switch (b[p]) {
      case QUOTE: return this.string(b, p + 1, e);
      case OPEN_OBJECT: return this.#object(b, p, e, depth);
      case OPEN_ARRAY: return this.#array(b, p, e, depth);
      case 116: return this.#word(b, p, e, TRUE);
      case 102: return this.#word(b, p, e, FALSE);
      case 110: return this.#word(b, p, e, NULL);
      default: return this.number(b, p, e);
    }
  }

  /** `p` is after the opening quote, the result after the closing one. */
  string(b: Buffer, p: number, e: number): number {
    let seen = 0;
    while (p < e) {
      const c = b[p] as number;
      if (c === QUOTE) {
        if (seen > 127) this.nonAscii = true;
        return p + 1;
      }
      if (c < SPACE) return ~p;
      if (c === BACKSLASH) {
        p = this.#escape(b, p, e);
        if (p < 0) return p;
      } else {
        seen |= c;
        p++;
      }
    }
    return ~e;
  }

  number(b: Buffer, p: number, e: number): number {
    if (p < e && b[p] === MINUS) p++;
    if (p < e && b[p] === ZERO) p++;
    else if ((p = this.#digits(b, p, e)) < 0) return p;
    if (p < e && b[p] === DOT && (p = this.#digits(b, p + 1, e)) < 0) return p;
    if (p < e && ((b[p] as number) | 32) === LOWER_E) {
      p++;
      if (p < e && (b[p] === 43 || b[p] === MINUS)) p++;
      p = this.#digits(b, p, e);
    }
    return p;
  }

  /** One or more. */
  #digits(b: Buffer, p: number, e: number): number {
    const start = p;
    while (p < e && isDigit(b[p] as number)) p++;
    return p === start ? ~p : p;
  }

  #escape(b: Buffer, p: number, e: number): number {
    if (p + 1 >= e) return ~e;
    const c = b[p + 1] as number;
    if (c !== LOWER_U) return isEscape(c) ? p + 2 : ~(p + 1);
    for (let i = p + 2; i < p + 6; i++) if (i >= e || !isHex(b[i] as number)) return ~Math.min(i, e);
    return p + 6;
  }

  #word(b: Buffer, p: number, e: number, word: Buffer): number {
    for (let i = 0; i < word.length; i++) if (p + i >= e || b[p + i] !== word[i]) return ~Math.min(p + i, e);
    return p + word.length;
  }

  #object(b: Buffer, p: number, e: number, depth: number): number {
    if (depth > MAX_DEPTH) return this.#deep(p);
    p = this.blanks(b, p + 1, e);
    if (p < e && b[p] === CLOSE_OBJECT) return p + 1;
    for (;;) {
      if (p >= e || b[p] !== QUOTE) return ~p;
      if ((p = this.string(b, p + 1, e)) < 0) return p;
      p = this.blanks(b, p, e);
      if (p >= e || b[p] !== COLON) return ~p;
      if ((p = this.value(b, this.blanks(b, p + 1, e), e, depth + 1)) < 0) return p;
      p = this.blanks(b, p, e);
      if (p >= e) return ~p;
      if (b[p] === CLOSE_OBJECT) return p + 1;
      if (b[p] !== COMMA) return ~p;
      p = this.blanks(b, p + 1, e);
    }
  }

  #array(b: Buffer, p: number, e: number, depth: number): number {
    if (depth > MAX_DEPTH) return this.#deep(p);
    p = this.blanks(b, p + 1, e);
    if (p < e && b[p] === CLOSE_ARRAY) return p + 1;
    for (;;) {
      if ((p = this.value(b, p, e, depth + 1)) < 0) return p;
      p = this.blanks(b, p, e);
      if (p >= e) return ~p;
      if (b[p] === CLOSE_ARRAY) return p + 1;
      if (b[p] !== COMMA) return ~p;
      p = this.blanks(b, p + 1, e);
    }
  }

  #deep(p: number): number {
    this.tooDeep = true;
    return ~p;
  }
}
