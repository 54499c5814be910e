/**
 * Java's Double.toString, the text of CAST(double AS STRING): plain with at least one fraction digit for 10^-3 <= |x| < 10^7,
 * else `d.dddE±n`. Digits are the shortest that read back as x; with a single digit the nearest two-digit decimal is taken
 * (4.9E-324), as in the javadoc since JDK 19.
 */
export const javaDouble = (x: number): string => layout(x, x.toExponential(), y => y.toExponential(1));

/** Java's Float.toString; x is a float held in a double. */
export function javaFloat(x: number): string {
  if (!Number.isFinite(x)) return special(x);
  let shortest = x.toExponential(0);
  for (let digits = 1; Math.fround(Number(shortest)) !== x && digits < 9; digits++) shortest = x.toExponential(digits);
  return layout(x, shortest, y => y.toExponential(1));
}

const special = (x: number): string => (Number.isNaN(x) ? 'NaN' : x > 0 ? 'Infinity' : '-Infinity');

function layout(x: number, shortest: string, twoDigits: (x: number) => string): string {
  if (!Number.isFinite(x)) return special(x);
  if (x === 0) return Object.is(x, -0) ? '-0.0' : '0.0';
  const sign = x < 0 ? '-' : '';
  let [mantissa, exponent] = shortest.replace('-', sign === '' ? '-' : '').split('e') as [string, string];
  if (mantissa.length === 1) [mantissa, exponent] = twoDigits(Math.abs(x)).split('e') as [string, string];
  const digits = mantissa.replace('.', '');
  const e = Number(exponent);
  if (e >= 7 || e < -3) return `${sign}${digits[0]}.${digits.slice(1) || '0'}E${e}`;
  if (e < 0) return `${sign}0.${'0'.repeat(-e - 1)}${trimZeros(digits)}`;
  const whole = digits.slice(0, e + 1).padEnd(e + 1, '0');
  return `${sign}${whole}.${digits.slice(e + 1) || '0'}`;
}

const trimZeros = (digits: string): string => digits.replace(/0+$/, '') || '0';

// no two runs of digits side by side: of a million digits each split would be tried
const DOUBLE = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The double nearest to a number's text (no blanks), or null when it is none or overflows: DOUBLE is always finite here. */
export function parseDouble(text: string): number | null {
  if (!DOUBLE.test(text)) return null;
  const x = Number(text);
  return Number.isFinite(x) ? x : null;
}
