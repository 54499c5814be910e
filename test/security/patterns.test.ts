import { describe, expect, it } from 'vitest';
import { RowError } from '../../src/errors.ts';
import { parseInteger, parseTicks, shortExponent } from '../../src/formats/json/exact.ts';
import { plainNumber } from '../../src/formats/json/text.ts';
import { compileLike } from '../../src/sql/functions/operators/like.ts';
import { parseDecimal } from '../../src/sql/values/decimal.ts';
import { parseDouble } from '../../src/sql/values/double.ts';
import { indexOf, splitBy } from '../../src/sql/values/text.ts';
import { parseDate, parseTime, parseTimestamp } from '../../src/sql/values/time.ts';
import { whole } from '../random.ts';

const seed = Number(process.env['PIPE_SEED'] ?? Date.now() % 1e9);
/** CPU ms of one call: what is quadratic takes minutes here, what is linear some ms. */
const MOST_CPU = 3000;

function cpuMs(work: () => unknown): number {
  const began = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}

/** LIKE by its definition, on short texts: an oracle. */
function like(pattern: string, text: string): boolean {
  const fits = (p: readonly string[], t: readonly string[]): boolean => {
    const [first, ...rest] = p;
    if (first === undefined) return t.length === 0;
    if (first === '%') return fits(rest, t) || (t.length > 0 && fits(p, t.slice(1)));
    return t.length > 0 && (first === '_' || first === t[0]) && fits(rest, t.slice(1));
  };
  return fits([...pattern], [...text]);
}

describe(`patterns and texts that come from records (seed ${seed})`, () => {
  it('LIKE is what its definition says', () => {
    const pick = whole(seed);
    const made = (alphabet: readonly string[], n: number): string => Array.from({ length: pick(n) }, () => alphabet[pick(alphabet.length)]).join('');
    for (let n = 0; n < 5000; n++) {
      const pattern = made(['a', 'b', '%', '_', '_', '😀'], 8);
      const text = made(['a', 'a', 'b', '😀'], 8);
      expect(compileLike(pattern, null)(text), `${JSON.stringify(pattern)} ${JSON.stringify(text)}`).toBe(like(pattern, text));
    }
  });

  it('searching and splitting by long texts is what String does', () => {
    const pick = whole(seed);
    const made = (n: number): string => Array.from({ length: n }, () => 'ab'[pick(20) === 0 ? 1 : 0]).join('');
    for (let n = 0; n < 300; n++) {
      const seek = made(200 + pick(20));
      const s = made(pick(500)) + (pick(2) === 0 ? seek : '') + made(pick(500)) + (pick(2) === 0 ? seek : '') + made(pick(100));
      const from = pick(300);
      expect(indexOf(s, seek, from)).toBe(s.indexOf(seek, from));
      expect(splitBy(s, seek)).toEqual(s.split(seek));
    }
  });

  it('500 evil patterns of LIKE are bounded', () => {
    const pick = whole(seed);
    const n = 2000;
    let most = 0;
    let refused = 0;
    for (let i = 0; i < 500; i++) {
      const m = [10, 300, 1000, 20_000][i % 4] as number;
      const a = 'ab'.repeat(n / 2);
      const text = [a, 'a'.repeat(n), `${'a'.repeat(n)}b`, '_%'.repeat(n / 2)][pick(4)] as string;
      const pattern = [
        `%${'a'.repeat(m)}b${'a'.repeat(m)}%`, `%b${'a'.repeat(m)}%`, `%${'ab'.repeat(m)}b${'ab'.repeat(m)}%`, `%_${'a'.repeat(m)}b%`, `%${'_a'.repeat(m)}b%`, `%a_${'a'.repeat(m)}_b%`, `%${'_'.repeat(m)}b%`, '%a'.repeat(m), `${'%_'.repeat(m)}c`, `${'%'.repeat(m)}c`, '_'.repeat(m),
      ][pick(11)] as string;
      most = Math.max(most, cpuMs(() => {
        try {
          compileLike(pattern, null)(text);
        } catch (error) {
          if (!(error instanceof RowError)) throw error;
          refused++;
        }
      }));
    }
    process.stderr.write(`500 patterns of LIKE: most ${Math.round(most)} ms of CPU, ${refused} refused for their steps\n`);
    expect(most).toBeLessThan(MOST_CPU);
    expect(refused).toBeLessThan(100);
    expect(() => compileLike(`%a_${'a'.repeat(50_000)}b%`, null)('a'.repeat(100_000))).toThrow('LIKE compares more than 10000000 characters');
  });

  it('long texts are searched in linear time', () => {
    const a = 'a'.repeat(500_000);
    const ab = 'ab'.repeat(250_000);
    const half = 'a'.repeat(100_000);
    for (const work of [() => indexOf(a, `${half}b${half}`), () => indexOf(ab, `${'ab'.repeat(50_000)}b${'ab'.repeat(50_000)}`), () => splitBy(a, `${half}b`), () => compileLike(`%${half}b${half}%`, null)(a)]) expect(cpuMs(work)).toBeLessThan(MOST_CPU);
  });

  it('a number of a million digits is read, or refused, in linear time', () => {
    const zeros = '0'.repeat(1_000_000);
    const texts = [`0.${zeros}1`, `1${zeros}`, `1${zeros}1`, zeros, `1e${'9'.repeat(1_000_000)}`, `1e${zeros}1`, `1${zeros}e-1000000`, '9'.repeat(1_000_000), `${'1'.repeat(500_000)}x`, `${' '.repeat(1_000_000)}x`, '-'.repeat(1_000_000), `2024-01-01 00:00:00.${zeros}1`, `2024-01-01${' '.repeat(1_000_000)}x`];
    for (const text of texts) {
      const readers = [() => parseInteger(text), () => parseDecimal(text, 38, 2), () => parseDouble(text), () => parseTicks(text, 3), () => shortExponent(text), () => parseDate(text), () => parseTime(text), () => parseTimestamp(text), ...(/^\d+(\.\d+)?([eE]\d+)?$/.test(text) ? [() => plainNumber(text)] : [])];
      for (const [i, read] of readers.entries()) expect(cpuMs(read), `${text.slice(0, 12)} reader ${i}`).toBeLessThan(MOST_CPU);
    }
    expect(parseInteger(`1${zeros}e-1000000`)).toBe(1);
    expect(parseInteger(`${zeros}12.${zeros}`)).toBe(12);
    expect(parseInteger(`-1.20e1`)).toBe(-12);
    expect(parseInteger(`0.${zeros}1`)).toBeNull();
  });
});
