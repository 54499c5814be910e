import { clockTime, duration, grouped } from '../numbers.ts';

/** Rows or records a second: 0, 0.4, 12, 8,412, 1.2 M; a dash where it is not known. */
export function perSecond(n: number | null): string {
  if (n === null) return '-';
  if (n > 0 && n < 10) return n < 0.05 ? '<0.1' : n.toFixed(1).replace(/\.0$/, '');
  return short(n);
}

/** 8,412 as it is, from a million on 1.2 M. */
export function short(n: number): string {
  if (n < 1e6) return grouped(n);
  return n < 1e9 ? `${(n / 1e6).toFixed(1)} M` : `${(n / 1e9).toFixed(1)} G`;
}

/** Epoch ms as date and time in UTC, without what equals `now`'s date; a dash where there is none. */
export const time = (at: number | null, now = Number.NaN, ms = false): string => (at === null ? '-' : clockTime(at, now, ms));

/** How far `at` lies before `now`: 2 s; from two days on, a date says more. */
export function behind(at: number | null, now: number): string {
  if (at === null) return '-';
  const ms = now - at;
  if (ms < 0) return `${duration(-ms)} ahead`;
  return ms < 172_800_000 ? duration(ms) : `at ${time(at).slice(0, 10)}`;
}

/** The same in a sentence: 2 s ago, at 2024-01-01. */
export const ago = (at: number, now: number): string => `${behind(at, now)}${at <= now && now - at < 172_800_000 ? ' ago' : ''}`;

export const percent = (share: number | null): string => (share === null ? '-' : `${share > 0 && share < 0.01 ? '<1' : Math.round(share * 100)} %`);

/** As the graph of a job colours it. */
export function level(busy: number | null): 'none' | 'low' | 'medium' | 'high' {
  if (busy === null) return 'none';
  return busy < 0.33 ? 'low' : busy < 0.66 ? 'medium' : 'high';
}

/** Seconds of a histogram as 5 ms, 1 s, 2.5 min, 2 d. */
export function seconds(s: number): string {
  const trimmed = (n: number): string => String(Number(n.toPrecision(3)));
  if (s < 1) return `${trimmed(s * 1000)} ms`;
  if (s < 120) return `${trimmed(s)} s`;
  if (s < 7200) return `${trimmed(s / 60)} min`;
  return s < 172_800 ? `${trimmed(s / 3600)} h` : `${trimmed(s / 86_400)} d`;
}

/** A length in the page. */
export const px = (n: number): string => `${n}px`;
