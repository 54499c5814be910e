import type { Writer } from '../../../codegen/writer.ts';
import { intRange } from '../../../sql/functions/numeric-types.ts';
import { NARROW_DECIMAL } from '../../../sql/types.ts';
import { MAX_TIMESTAMP } from '../../../sql/values/calendar.ts';
import { pow10 } from '../../../sql/values/wide.ts';
import type { Target } from './target.ts';

const POWERS = Float64Array.from({ length: 16 }, (_, n) => pow10(n));

/** The plain digits of every numeric type: no exponent, no more than fit a double exactly. All else is the closure's. */
export function inlineNumber(w: Writer, t: Target): void {
  const { column } = t.slot;
  const { type } = column.field;
  switch (column.time) {
    case 's': return inlineTicks(w, t, true, m => `${m} <= 8640000000000`, m => `${m} * 1000`);
    case 'ms': return inlineTicks(w, t, true, m => `${m} <= 8640000000000000`, m => m);
    case 'us': return inlineTicks(w, t, true, m => `${m} <= 9007199254740991`, m => `(${m} - ${m} % 1000) / 1000`);
    default:
  }
  switch (type.k) {
    case 'timestamp': case 'timestamp_ltz': return type.p < 3 ? undefined : inlineTicks(w, t, false, m => `${m} <= ${MAX_TIMESTAMP}`, m => m);
    case 'tinyint': case 'smallint': case 'int': return inlineInteger(w, t, intRange(type)[1]);
    case 'bigint': return inlineInteger(w, t, Number.MAX_SAFE_INTEGER);
    case 'decimal': return type.p <= NARROW_DECIMAL ? inlineDecimal(w, t, type.p, type.s) : undefined;
    case 'double': return inlineDouble(w, t);
    default:
  }
}

/** True when the four bytes `y` are digits: 0x30 to 0x39, and also 6 more do not leave 0x3.. */
const areDigits = (y: string): string => `(${y} & -0x0f0f0f10) === 0x30303030 && ((${y} + 0x06060606) & -0x0f0f0f10) === 0x30303030`;

/** The number that four digits `y` are, the first of which is the lowest byte: tens and ones of two pairs at once, then hundreds. */
const ofDigits = (y: string): string => `(${y} = (Math.imul(${y} & 0x0f0f0f0f, 10) + ((${y} & 0x0f0f0f0f) >>> 8)) & 0x00ff00ff, Math.imul(${y} & 0xff, 100) + (${y} >>> 16))`;

/** Digits from `q` into `m`, up to 16 of them: exact when `m` is at most 2^53 - 1. `s` is where they begin. The first eight of many are read in two steps. */
function digits(w: Writer): void {
  w.line('const s = q; let m = 0, x = 0, y1 = 0, y2 = 0;');
  w.line(`if (q + 4 <= safe && (y1 = d.getInt32(q, true), ${areDigits('y1')}) && (y2 = d.getInt32(q + 4, true), ${areDigits('y2')})) {`);
  w.line(`const high = Math.imul(${ofDigits('y1')}, 10000) + ${ofDigits('y2')}; q += 8; let low = 0;`);
  w.line(`while ((x = b[q] ^ 48) < 10) { low = (Math.imul(low, 10) + x) | 0; q++; } if (q - s <= 16) m = high * ${w.bind(POWERS)}[q - s - 8] + low; }`);
  w.line('else while ((x = b[q] ^ 48) < 10) { m = m * 10 + x; q++; }');
}

/** Ticks of event time, as a number or its text where `quoted`, or of a TIMESTAMP. */
function inlineTicks(w: Writer, { name }: Target, quoted: boolean, fits: (m: string) => string, ms: (m: string) => string): void {
  w.line(`{ q = ${quoted ? 'c === 34 ? p + 1 : p' : 'p'};`);
  digits(w);
  const ended = quoted ? '(c === 34 ? b[q] === 34 : b[q] !== 46 && b[q] !== 101 && b[q] !== 69 && (b[s] !== 48 || q === s + 1))' : 'b[q] !== 46 && b[q] !== 101 && b[q] !== 69 && (b[s] !== 48 || q === s + 1)';
  w.line(`if (q > s && q - s <= 16 && ${fits('m')} && ${ended}) { v${name}[row] = ${ms('m')}; p = ${quoted ? 'c === 34 ? q + 1 : q' : 'q'}; break in${name}; } }`);
}

function inlineInteger(w: Writer, { name }: Target, max: number): void {
  w.line('{ q = c === 45 ? p + 1 : p;');
  digits(w);
  w.line(`if (q > s && q - s <= 16 && m <= ${max} && (b[s] !== 48 || q === s + 1) && b[q] !== 46 && b[q] !== 101 && b[q] !== 69) { v${name}[row] = c === 45 ? 0 - m : m; p = q; break in${name}; } }`);
}

/** Digits of a number with or without a fraction into `m`, without the point, of which `fr` follow it; then `use` when all is plain. At most 9 digits: most amounts. */
function fraction(w: Writer, use: string): void {
  w.line('{ q = c === 45 ? p + 1 : p; const s = q; let m = 0, x = 0, fr = 0;');
  w.line('while ((x = b[q] ^ 48) < 10) { m = (Math.imul(m, 10) + x) | 0; q++; }');
  w.line('if (q > s && (b[s] !== 48 || q === s + 1)) {');
  w.line('let count = q - s; if (b[q] === 46) { const o = ++q; while ((x = b[q] ^ 48) < 10) { m = (Math.imul(m, 10) + x) | 0; q++; } fr = q - o; count = fr === 0 ? 99 : count + fr; }');
  w.line(`if (count <= 9 && b[q] !== 101 && b[q] !== 69) { ${use} } } }`);
}

function inlineDecimal(w: Writer, { name }: Target, precision: number, scale: number): void {
  const v = `m * ${w.bind(POWERS)}[${scale} - fr]`;
  fraction(w, `if (fr <= ${scale}) { const y = fr === ${scale} ? m : ${v}; if (y < ${pow10(precision)}) { v${name}[row] = c === 45 ? 0 - y : y; p = q; break in${name}; } }`);
}

/** Two exact doubles: one correctly rounded division. */
function inlineDouble(w: Writer, { name }: Target): void {
  fraction(w, `const y = fr === 0 ? m : m / ${w.bind(POWERS)}[fr]; v${name}[row] = c === 45 ? -y : y; p = q; break in${name};`);
}
