const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZES: Readonly<Record<string, number>> = { KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };

export const DURATION = '^[0-9]{1,9}(ms|s|m|h|d)$';
export const SIZE = '^[0-9]{1,9}(KB|MB|GB)$';
export const PERCENT = '^[0-9]{1,3}([.][0-9]{1,6})?%$';

/** `500ms`, `10s`, `5m`, `1h`, `1d` in ms; undefined when it is none. */
export function duration(text: string): number | undefined {
  const m = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  return m === null ? undefined : Number(m[1]) * (UNITS[m[2] as string] as number);
}

/** `64KB`, `256MB`, `1GB` in bytes (a KB is 1024); undefined when it is none. */
export function size(text: string): number | undefined {
  const m = /^(\d{1,9})(KB|MB|GB)$/.exec(text);
  return m === null ? undefined : Number(m[1]) * (SIZES[m[2] as string] as number);
}

/** `n` in the largest unit that takes it whole, at least in the smallest. */
function inLargest(units: Readonly<Record<string, number>>, n: number): string {
  const all = Object.entries(units);
  const [unit, of] = all.findLast(([, size]) => n % size === 0) ?? all[0] as [string, number];
  return `${Math.floor(n / of)}${unit}`;
}

/** ms as a text that `duration` takes. */
export const durationText = (ms: number): string => (ms === 0 ? '0ms' : inLargest(UNITS, ms));

/** Bytes as a text that `size` takes, of whole KB. */
export const sizeText = (bytes: number): string => inLargest(SIZES, bytes);

/** `5%` as 0.05; undefined when it is none, or above 100%. */
export function percent(text: string): number | undefined {
  const m = /^(\d{1,3}(?:\.\d{1,6})?)%$/.exec(text);
  const n = m === null ? NaN : Number(m[1]) / 100;
  return n <= 1 ? n : undefined;
}

/** `2024-01-01T12:00:00Z` (UTC, also without Z, time or seconds) as epoch ms; undefined when it is none. */
export function instant(text: string): number | undefined {
  const m = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,3})?)?)?Z?$/.exec(text);
  const ms = m === null ? NaN : Date.parse(`${m[1]}T${m[2] ?? '00:00'}${m[3] ?? ':00'}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}
