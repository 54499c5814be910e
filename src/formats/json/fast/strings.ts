import type { Writer } from '../../../codegen/writer.ts';

/*
 * Strings are looked through four bytes at a time. Of the four in `y` those that are not plain have their high bit set in `z`: quotes and
 * backslashes (0 after the exclusive or, so that 1 cannot be taken off), what is below a blank, and what is above 127. A byte behind such a
 * one may be marked wrongly; only the first counts.
 */
const MARKS = 'const y = d.getInt32(q, true), z = (((y ^ 0x22222222) - 0x01010101) | ((y ^ 0x5c5c5c5c) - 0x01010101) | (y - 0x20202020) | y) & -0x7f7f7f80;';

/** The place (0 to 3) of the first byte that `z` marks. */
const FIRST = '(31 - Math.clz32(z & (0 - z))) >> 3';

/**
 * Goes from `q` to the end of the string, its closing quote, for which `c` is 34; or to the first byte that is not plain ASCII, or to where
 * the buffer is at its end, for which it is something else. `word` is written for each four plain bytes `y`, `rest` for the last 0 to 3 (`k`) of them.
 */
export function toQuote(w: Writer, word = '', rest = ''): void {
  w.line('for (;;) { if (q > safe) { c = 0; break; }');
  w.line(MARKS);
  w.line(`if (z === 0) { ${word} q += 4; continue; }`);
  w.line(`const k = ${FIRST}; ${rest} q += k; c = b[q]; break; }`);
}
