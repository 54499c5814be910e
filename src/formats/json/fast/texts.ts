import type { Writer } from '../../../codegen/writer.ts';
import { HASH_PRIME, HASH_START, finishHash } from '../../../sql/values/text-column.ts';
import { TextCache } from '../text-cache.ts';
import type { Target } from './values.ts';

/** Goes from `q` over the bytes of a string and hashes them into `x`; `c` is the byte that ends it, or the first that is not plain; `hi` is above 127 when one was. */
function hashString(w: Writer): void {
  w.line(`let x = ${HASH_START}, hi = 0; q = p + 1;`);
  w.line(`for (;;) { c = b[q]; if (c > 34) { if (c === 92) break; } else if (c === 34 || !(c > 31)) break; x = Math.imul(x ^ c, ${HASH_PRIME}); hi |= c; q++; }`);
}

/** A string whose text is wanted: from the cache. */
export function inlineText(w: Writer, { name }: Target): void {
  w.line('if (c === 34) {');
  hashString(w);
  w.line(`if (c === 34) { if (hi > 127) scan.nonAscii = true; v${name}[row] = ${w.bind(new TextCache())}.get(b, p + 1, q, x, hi <= 127); p = q + 1; break in${name}; } }`);
}

/** A string, or digits that are their own text, as a range of the bytes. */
export function inlineTextBytes(w: Writer, { name }: Target): void {
  const put = `h${name}[row] = ${w.bind(finishHash)}(x);`;
  w.line('if (c === 34) {');
  hashString(w);
  w.line(`if (c === 34) { if (hi > 127) scan.nonAscii = true; a${name}[row] = p + 1; z${name}[row] = q; ${put} p = q + 1; break in${name}; } }`);
  w.line(`else if (c >= 49 && c <= 57) { let x = ${HASH_START}; q = p;`);
  w.line(`while (((c = b[q]) ^ 48) < 10) { x = Math.imul(x ^ c, ${HASH_PRIME}); q++; }`);
  w.line(`if (c !== 46 && c !== 101 && c !== 69) { a${name}[row] = p; z${name}[row] = q; ${put} p = q; break in${name}; } }`);
}
