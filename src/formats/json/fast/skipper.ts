import { CLOSE_ARRAY, CLOSE_OBJECT, COLON, COMMA, MAX_DEPTH, OPEN_ARRAY, OPEN_OBJECT, QUOTE, type JsonScanner } from '../scan.ts';

/** Checks nested values that nobody wants, strings four bytes at a time; all but the plain is left to the scanner, whose methods these are like. */
export class Skipper {
  readonly #scan: JsonScanner;

  constructor(scan: JsonScanner) { this.#scan = scan; }

  /** The position after the value at `p`, at nesting `depth`, or a negative number. `d` is a view of `b`. */
  value(b: Buffer, d: DataView, p: number, e: number, depth: number): number {
    const c = b[p];
    if (c === QUOTE) return this.#string(b, d, p + 1, e);
    if (c === OPEN_OBJECT && depth <= MAX_DEPTH) return this.#object(b, d, p, e, depth);
    if (c === OPEN_ARRAY && depth <= MAX_DEPTH) return this.#array(b, d, p, e, depth);
    return this.#scan.value(b, p, e, depth);
  }

  /** `p` is after the opening quote, the result after the closing one. */
  #string(b: Buffer, d: DataView, p: number, e: number): number {
    const safe = e - 4;
    let q = p;
    while (q <= safe) {
      const y = d.getInt32(q, true);
      // see strings.ts
      const z = (((y ^ 0x22222222) - 0x01010101) | ((y ^ 0x5c5c5c5c) - 0x01010101) | (y - 0x20202020) | y) & -0x7f7f7f80;
      if (z === 0) {
        q += 4;
      } else {
        q += (31 - Math.clz32(z & (0 - z))) >> 3;
        if (b[q] === QUOTE) return q + 1;
        break;
      }
    }
    return this.#scan.string(b, p, e);
  }

  #object(b: Buffer, d: DataView, p: number, e: number, depth: number): number {
    p = this.#blanks(b, p + 1, e);
    if (p < e && b[p] === CLOSE_OBJECT) return p + 1;
    for (;;) {
      if (p >= e || b[p] !== QUOTE) return -1;
      if ((p = this.#string(b, d, p + 1, e)) < 0) return -1;
      if ((p = this.#blanks(b, p, e)) >= e || b[p] !== COLON) return -1;
      if ((p = this.value(b, d, this.#blanks(b, p + 1, e), e, depth + 1)) < 0) return -1;
      if ((p = this.#blanks(b, p, e)) >= e) return -1;
      if (b[p] === CLOSE_OBJECT) return p + 1;
      if (b[p] !== COMMA) return -1;
      p = this.#blanks(b, p + 1, e);
    }
  }

  #array(b: Buffer, d: DataView, p: number, e: number, depth: number): number {
    p = this.#blanks(b, p + 1, e);
    if (p < e && b[p] === CLOSE_ARRAY) return p + 1;
    for (;;) {
      if ((p = this.value(b, d, p, e, depth + 1)) < 0) return -1;
      if ((p = this.#blanks(b, p, e)) >= e) return -1;
      if (b[p] === CLOSE_ARRAY) return p + 1;
      if (b[p] !== COMMA) return -1;
      p = this.#blanks(b, p + 1, e);
    }
  }

  #blanks(b: Buffer, p: number, e: number): number { return p < e && (b[p] as number) > 32 ? p : this.#scan.blanks(b, p, e); }
}
