import type { Writer } from '../../../codegen/writer.ts';
import type { Flag, Target } from './target.ts';
import { inlineNumber } from './numbers.ts';
import { toQuote } from './strings.ts';
import { inlineText, inlineTextBytes } from './texts.ts';

/** Reads the value at `p` into the columns of its key, plain ones without a call where `isInline`; `p` comes to stand behind it. */
export function wantedValue(w: Writer, targets: readonly Target[], { word, bit }: Flag, isInline: boolean): void {
  w.line('c = b[p];');
  w.line('if (c === 110) {');
  w.line(`if (b[p + 1] !== 117 || b[p + 2] !== 108 || b[p + 3] !== 108) break fast; p += 4; ${word} &= ${~bit};`);
  w.line('} else {');
  if (targets.length > 1) w.line('const at = p;');
  targets.forEach((t, j) => {
    if (j > 0) w.line('p = at; c = b[p];');
    w.line(`in${t.name}: {`);
    if (isInline) inline(w, t);
    w.line(`p = r${t.name}(b, p, e, row); if (p < 0) break fast;${t.text === null ? '' : ` t${t.name}.put(row, v${t.name}[row]);`} }`);
  });
  w.line(`${word} |= ${bit}; }`);
}

/**
 * Code for the plain forms of a column's values, which begin with `c` at `p`: it ends in `break` of the block with `p` behind the value.
 * Falling out of it, with `p` as it was, leaves the value to the column's closure.
 */
function inline(w: Writer, t: Target): void {
  const { type } = t.slot.column.field;
  if (t.slot.column.time === 'iso') return;
  if (type.k === 'string' && t.slot.column.time === null) return t.text === null ? inlineText(w, t) : inlineTextBytes(w, t);
  if (type.k === 'boolean') return inlineBoolean(w, t);
  inlineNumber(w, t);
}

function inlineBoolean(w: Writer, { name }: Target): void {
  w.line(`if (c === 116 && b[p + 1] === 114 && b[p + 2] === 117 && b[p + 3] === 101) { v${name}[row] = 1; p += 4; break in${name}; }`);
  w.line(`if (c === 102 && b[p + 1] === 97 && b[p + 2] === 108 && b[p + 3] === 115 && b[p + 4] === 101) { v${name}[row] = 0; p += 5; break in${name}; }`);
}

/** Checks a value that nobody wants. */
export function skipValue(w: Writer): void {
  w.line('c = b[p];');
  w.line('skip: {');
  w.line('if (c === 34) { q = p + 1;');
  toQuote(w);
  w.line('if (c === 34) { p = q + 1; break skip; } }');
  w.line('else if (c === 45 || (c >= 48 && c <= 57)) {');
  w.line('q = c === 45 ? p + 1 : p; const s = q; while ((b[q] ^ 48) < 10) q++;');
  w.line('if (b[q] === 46 && q > s) { const t = ++q; while ((b[q] ^ 48) < 10) q++; if (q === t) break fast; }');
  w.line('c = b[q]; if (q > s && (b[s] !== 48 || q === s + 1 || b[s + 1] === 46) && c !== 101 && c !== 69) { p = q; break skip; } }');
  w.line('p = skipper.value(b, d, p, e, 2); if (p < 0) break fast; }');
}
