/** 1234567 as 1,234,567. */
export const grouped = (n: number): string => Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, ',');

/** Bytes as 0 B, 12 KB, 1.2 MB, 3.4 GB. */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  if (n < 1e6) return `${Math.round(n / 1e3)} KB`;
  return n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(1)} GB`;
}

/** ms as 0.4 s, 12 s, 3 min, 2 h, 5 d. */
export function duration(ms: number): string {
  const s = ms / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 120) return `${Math.round(s)} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return s < 172_800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86_400)} d`;
}

/** `1 job`, `2 jobs`. */
export const plural = (n: number, word: string): string => `${grouped(n)} ${word}${n === 1 ? '' : 's'}`;

/** How many records lie between two offsets. On Kafka the markers of transactions and aborted records have offsets, too: there may be fewer. */
export const recordCount = (log: 'embedded' | 'kafka', n: number): string => (log === 'kafka' && n > 0 ? `≤ ${grouped(n)}` : grouped(n));

/** How many groups a job or an operator holds. Of what lies on disk a group counts in each run that it is in, so there may be fewer. */
export const groupCount = (n: number, onDisk: number, show = grouped): string => (onDisk > 0 ? `≤ ${show(n)}` : show(n));

/** Time of day of an epoch ms (UTC), with the date when that is not the one of `now`; a dash for what is no date. `ms` shows milliseconds where there are any. */
export function clockTime(at: number, now: number, ms = false): string {
  if (!isDate(at)) return '-';
  const [date = '', time = ''] = new Date(at).toISOString().split('T');
  const clock = time.slice(0, ms && at % 1000 !== 0 ? -1 : -5);
  return isDate(now) && new Date(now).toISOString().startsWith(`${date}T`) ? clock : `${date} ${clock}`;
}

const isDate = (ms: number): boolean => Number.isFinite(ms) && Math.abs(ms) <= 8.64e15;

/** A share as 0.04 %, 4.2 %, 42 %. */
export function percent(share: number): string {
  const n = share * 100;
  return `${n < 0.005 || n >= 10 ? Math.round(n) : n < 1 ? n.toFixed(2) : n.toFixed(1)} %`;
}
