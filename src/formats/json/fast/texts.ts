import type { Writer } from '../../../codegen/writer.ts';
import { HASH_PRIME, HASH_START, finishHash } from '../../../sql/values/text-column.ts';
import { toQuote } from './strings.ts';
import { LONGEST, WordCache } from './word-cache.ts';
import type { Target } from './target.ts';

/** A string whose text is wanted: from the cache. */
export function inlineText(w: Writer, { name }: Target): void {
  const cache = w.bind(new WordCache());
  w.line('if (c === 34) { let x = 0; q = p + 1;');
  toQuote(w, 'x = Math.imul(x ^ y, 0x9e3779b1); x ^= x >>> 15;', 'x = Math.imul(x ^ (y & ((1 << (8 * k)) - 1)), 0x9e3779b1); x ^= x >>> 15;');
  w.line(`if (c === 34) { v${name}[row] = q - p <= ${LONGEST} ? ${cache}.get(b, d, p + 1, q, x) : b.latin1Slice(p + 1, q); p = q + 1; break in${name}; } }`);
}

const hashed = (byte: string): string => `x = Math.imul(x ^ (${byte}), ${HASH_PRIME});`;
const BYTES = ['y & 255', '(y >>> 8) & 255', '(y >>> 16) & 255', 'y >>> 24'];

/** A string, or digits that are their own text, as a range of the bytes. */
export function inlineTextBytes(w: Writer, { name }: Target): void {
  const put = `h${name}[row] = ${w.bind(finishHash)}(x);`;
  w.line(`if (c === 34) { let x = ${HASH_START}; q = p + 1;`);
  const [first, second, third] = BYTES.map(hashed);
  toQuote(w, BYTES.map(hashed).join(' '), `if (k > 0) { ${first} if (k > 1) { ${second} if (k > 2) { ${third} } } }`);
  w.line(`if (c > 127) { scan.nonAscii = true; do { ${hashed('c')} c = b[++q]; } while (c > 34 ? c !== 92 : c === 32 || c === 33); }`);
  w.line(`if (c === 34) { a${name}[row] = p + 1; z${name}[row] = q; ${put} p = q + 1; break in${name}; } }`);
  w.line(`else if (c >= 49 && c <= 57) { let x = ${HASH_START}; q = p;`);
  w.line(`while (((c = b[q]) ^ 48) < 10) { ${hashed('c')} q++; }`);
  w.line(`if (c !== 46 && c !== 101 && c !== 69) { a${name}[row] = p; z${name}[row] = q; ${put} p = q; break in${name}; } }`);
}
