import { DAY, HOUR, MINUTE, SECOND, civilFromDays, dayOf, dayOfYear, daysFromCivil, daysInMonth, floorDiv, isLeap, isoDayOfWeek, timeOfDay } from './calendar.ts';

/** A compiled pattern of Java's DateTimeFormatter (English names, UTC). */
export interface DatePattern {
  /** `ms`: epoch ms. */
  format(ms: number): string;
  /** Epoch ms; what the pattern leaves out counts as 1970-01-01 00:00:00. Null when the text does not match or is no date. */
  parse(text: string): number | null;
}

type Part = { readonly text: string } | { readonly letter: string; readonly count: number };

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const LETTERS = 'yuMLdDEQqaHhKkmsSXxZ';
const isLetter = (c: string): boolean => /^[A-Za-z]$/.test(c);

/** The pattern, or why it is none. */
export function compilePattern(pattern: string): DatePattern | string {
  const parts = partsOf(pattern);
  if (typeof parts === 'string') return parts;
  return { format: ms => formatted(parts, ms), parse: text => parsed(parts, text) };
}

function partsOf(pattern: string): readonly Part[] | string {
  const parts: Part[] = [];
  for (let i = 0; i < pattern.length;) {
    const c = pattern[i] as string;
    let end = i + 1;
    if (c === "'") {
      let text = '';
      for (; ; end++) {
        if (end >= pattern.length) return `the pattern '${pattern}' has an open quote`;
        if (pattern[end] !== "'") text += pattern[end];
        else if (pattern[end + 1] === "'") { text += "'"; end++; } else break;
      }
      parts.push({ text: end === i + 1 ? "'" : text });
      i = end + 1;
    } else if (isLetter(c)) {
      while (pattern[end] === c) end++;
      if (!LETTERS.includes(c)) return `the pattern letter ${c} is not supported; letters are ${[...LETTERS].join(' ')}`;
      if (end - i > (c === 'S' ? 9 : 5)) return `the pattern '${pattern}' has too many ${c} in a row`;
      parts.push({ letter: c, count: end - i });
      i = end;
    } else if ('[]{}#'.includes(c)) {
      return `${c} is not supported in the pattern '${pattern}'`;
    } else {
      parts.push({ text: c });
      i = end;
    }
  }
  return parts;
}

const pad = (n: number, width: number): string => String(n).padStart(width, '0');
const named = (names: readonly string[], i: number, count: number): string => ((n: string) => (count === 4 ? n : count === 5 ? n.slice(0, 1) : n.slice(0, 3)))(names[i] as string);

function formatted(parts: readonly Part[], ms: number): string {
  const days = dayOf(ms);
  const time = timeOfDay(ms);
  const { year, month, day } = civilFromDays(days);
  const hour = floorDiv(time, HOUR);
  const field = (letter: string, n: number): string => {
    switch (letter) {
      case 'y': case 'u': return n === 2 ? pad(((year % 100) + 100) % 100, 2) : year < 0 ? `-${pad(-year, n)}` : pad(year, n);
      case 'M': case 'L': return n <= 2 ? pad(month, n) : named(MONTHS, month - 1, n);
      case 'd': return pad(day, n);
      case 'D': return pad(dayOfYear(days), n);
      case 'E': return named(DAYS, isoDayOfWeek(days) - 1, n);
      case 'Q': case 'q': { const q = floorDiv(month + 2, 3); return n <= 2 ? pad(q, n) : n === 3 ? `Q${q}` : `${['1st', '2nd', '3rd', '4th'][q - 1]} quarter`; }
      case 'a': return hour < 12 ? 'AM' : 'PM';
      case 'H': return pad(hour, n);
      case 'h': return pad(hour % 12 || 12, n);
      case 'K': return pad(hour % 12, n);
      case 'k': return pad(hour || 24, n);
      case 'm': return pad(floorDiv(time % HOUR, MINUTE), n);
      case 's': return pad(floorDiv(time % MINUTE, SECOND), n);
      case 'S': return pad(time % SECOND, 3).padEnd(n, '0').slice(0, n);
      case 'X': return 'Z';
      case 'x': return n === 1 ? '+00' : n === 2 || n === 4 ? '+0000' : '+00:00';
      default: return n <= 3 ? '+0000' : n === 4 ? 'GMT' : 'Z';
    }
  };
  return parts.map(p => ('text' in p ? p.text : field(p.letter, p.count))).join('');
}

/** What a text said, by pattern letter; `zone` in ms east of UTC. */
type Found = Partial<Record<string, number>>;

function parsed(parts: readonly Part[], text: string): number | null {
  const found: Found = {};
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    const p = parts[i] as Part;
    if ('text' in p) {
      if (!text.startsWith(p.text, at)) return null;
      at += p.text.length;
      continue;
    }
    const next = parts[i + 1];
    const end = readField(p.letter, p.count, text, at, next !== undefined && 'letter' in next, found);
    if (end < 0) return null;
    at = end;
  }
  return at === text.length ? instant(found) : null;
}

/** Offset after the field, or -1. Two letters and more are that many digits; one letter takes what is there, unless another field follows at once. */
function readField(letter: string, count: number, text: string, at: number, tight: boolean, found: Found): number {
  if (letter === 'X' || letter === 'x' || letter === 'Z') return readZone(text, at, found);
  const names = letter === 'a' ? ['AM', 'PM'] : letter === 'E' ? DAYS : (letter === 'M' || letter === 'L') && count >= 3 ? MONTHS : null;
  if (names !== null) {
    const i = names.findIndex(n => startsAt(text, at, letter === 'a' ? n : named(names, names.indexOf(n), count)));
    if (i < 0) return -1;
    found[letter] = letter === 'a' ? i : i + 1;
    return at + (letter === 'a' ? 2 : named(names, i, count).length);
  }
  const most = count > 1 || tight ? count : letter === 'y' || letter === 'u' ? 4 : letter === 'D' ? 3 : letter === 'S' ? 1 : 2;
  let end = at;
  while (end < at + most && isDigit(text.charCodeAt(end))) end++;
  if (end === at || (count > 1 && end - at < count)) return -1;
  const digits = text.slice(at, end);
  found[letter] = letter === 'S' ? Number(digits.padEnd(3, '0').slice(0, 3)) : (letter === 'y' || letter === 'u') && count === 2 ? 2000 + Number(digits) : Number(digits);
  return end;
}

const isDigit = (unit: number): boolean => unit >= 48 && unit <= 57;
const startsAt = (text: string, at: number, name: string): boolean => text.slice(at, at + name.length).toLowerCase() === name.toLowerCase();

function readZone(text: string, at: number, found: Found): number {
  if (text[at] === 'Z') { found['zone'] = 0; return at + 1; }
  const m = /^([+-])(\d\d)(?::?(\d\d))?/.exec(text.slice(at, at + 6));
  if (m === null) return -1;
  found['zone'] = (m[1] === '-' ? -1 : 1) * (Number(m[2]) * HOUR + Number(m[3] ?? 0) * MINUTE);
  return at + m[0].length;
}

function instant(f: Found): number | null {
  const year = f['y'] ?? f['u'] ?? 1970;
  const month = f['M'] ?? f['L'] ?? 1;
  const day = f['d'] ?? 1;
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  const ordinal = f['D'];
  if (ordinal !== undefined && (ordinal < 1 || ordinal > (isLeap(year) ? 366 : 365))) return null;
  const days = ordinal !== undefined && f['d'] === undefined ? daysFromCivil(year, 1, 1) + ordinal - 1 : daysFromCivil(year, month, day);
  const hour = hourOf(f);
  const minute = f['m'] ?? 0;
  const second = f['s'] ?? 0;
  if (hour === null || minute > 59 || second > 59) return null;
  return days * DAY + hour * HOUR + minute * MINUTE + second * SECOND + (f['S'] ?? 0) - (f['zone'] ?? 0);
}

function hourOf(f: Found): number | null {
  if (f['H'] !== undefined) return f['H'] <= 23 ? f['H'] : null;
  if (f['k'] !== undefined) return f['k'] >= 1 && f['k'] <= 24 ? f['k'] % 24 : null;
  const afternoon = f['a'] === 1 ? 12 : 0;
  if (f['h'] !== undefined) return f['h'] >= 1 && f['h'] <= 12 ? (f['h'] % 12) + afternoon : null;
  if (f['K'] !== undefined) return f['K'] <= 11 ? f['K'] + afternoon : null;
  return afternoon;
}
