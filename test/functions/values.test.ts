import { describe, expect, it } from 'vitest';
import { parseDecimal, parseTruncated, printDecimal, decimalToDouble } from '../../src/sql/values/decimal.ts';
import { javaDouble, javaFloat, parseDouble } from '../../src/sql/values/double.ts';
import { advance, compareText, lengthOf, position, retreat, reverse, slice } from '../../src/sql/values/text.ts';
import * as wide from '../../src/sql/values/wide.ts';
import { random, rounds } from './random.ts';

const isCanonical = (v: number | bigint): boolean => (typeof v === 'number' ? Number.isSafeInteger(v) && !Object.is(v, -0) : !Number.isSafeInteger(Number(v)) || BigInt(Number(v)) !== v);

describe('wide integers', () => {
  const r = random('wide');
  const any = (): number | bigint => {
    const bits = r.int(1, 130);
    let b = 0n;
    for (let i = 0; i < bits; i++) b = b * 2n + BigInt(r.int(0, 1));
    if (r.int(0, 9) === 0) b = 9007199254740991n + BigInt(r.int(-3, 3));
    return wide.canonical(r.int(0, 1) === 0 ? b : -b);
  };

  it('agrees with BigInt and stays canonical', () => {
    for (let i = 0; i < rounds(20_000); i++) {
      const [a, b] = [any(), any()];
      const [x, y] = [BigInt(a), BigInt(b)];
      const check = (got: number | bigint, want: bigint): void => {
        if (BigInt(got) !== want || !isCanonical(got)) throw new Error(`${a}, ${b}: ${got} is not ${want} (seed ${r.seed})`);
      };
      check(wide.add(a, b), x + y);
      check(wide.sub(a, b), x - y);
      check(wide.mul(a, b), x * y);
      check(wide.neg(a), -x);
      check(wide.abs(a), x < 0n ? -x : x);
      expect(wide.cmp(a, b)).toBe(x < y ? -1 : x > y ? 1 : 0);
      if (y !== 0n) {
        check(wide.divTrunc(a, b), x / y);
        check(wide.rem(a, b), x % y);
      }
      const [from, to] = [r.int(0, 20), r.int(0, 20)];
      check(wide.rescale(a, from, to), to >= from ? x * 10n ** BigInt(to - from) : halfUp(x, 10n ** BigInt(from - to)));
      check(wide.floorScale(a, from), floor(x, 10n ** BigInt(from)));
    }
  });

  it('knows how many digits fit', () => {
    expect(wide.fitsDigits(999, 3)).toBe(true);
    expect(wide.fitsDigits(-1000, 3)).toBe(false);
    expect(wide.fitsDigits(10n ** 38n - 1n, 38)).toBe(true);
    expect(wide.fitsDigits(-(10n ** 38n), 38)).toBe(false);
    expect(wide.fitsBigint(2n ** 63n - 1n)).toBe(true);
    expect(wide.fitsBigint(2n ** 63n)).toBe(false);
    expect(wide.fitsBigint(-(2n ** 63n))).toBe(true);
  });
});

const halfUp = (x: bigint, d: bigint): bigint => {
  const sign = x < 0n ? -1n : 1n;
  return sign * ((sign * x * 2n + d) / (2n * d));
};
const floor = (x: bigint, d: bigint): bigint => (x % d !== 0n && x < 0n ? x / d - 1n : x / d);

describe('decimal text', () => {
  it.each([
    ['7500.00', 12, 2, 750000], ['-0.5', 3, 1, -5], ['1.255', 5, 2, 126], ['-1.255', 5, 2, -126], ['1.2549999', 5, 2, 125], ['.5', 3, 0, 1], ['5.', 3, 0, 5],
    ['-0', 3, 2, 0], ['-0.001', 3, 2, 0], ['0.005', 3, 2, 1], ['1e3', 5, 0, 1000], ['1.5E-1', 5, 2, 15], ['12345e-10', 5, 2, 0], ['00012', 2, 0, 12],
    ['999.5', 3, 0, 'range'], ['1000', 3, 0, 'range'], ['0e999999999', 3, 0, 0], ['1e999999999', 38, 0, 'range'], ['1e-999999999', 38, 18, 0],
    ['9007199254740993', 19, 0, 9007199254740993n], ['9007199254740991.5', 19, 0, 9007199254740992n], ['99999999999999999999999999999999999999', 38, 0, 10n ** 38n - 1n],
    ['99999999999999999999999999999999999999.5', 38, 0, 'range'],
    ['', 5, 2, 'syntax'], ['.', 5, 2, 'syntax'], ['1.2.3', 5, 2, 'syntax'], [' 1', 5, 2, 'syntax'], ['abc', 5, 2, 'syntax'], ['1e', 5, 2, 'syntax'], ['-', 5, 2, 'syntax'], ['NaN', 5, 2, 'syntax'], ['0x10', 5, 2, 'syntax'],
  ] as const)('%s as DECIMAL(%i,%i)', (text, p, s, want) => {
    const got = parseDecimal(text, p, s);
    expect(got).toBe(want);
    expect(Object.is(got, -0)).toBe(false);
  });

  it('cuts towards zero for CAST AS INT', () => {
    expect(parseTruncated('12.7', 10, 0)).toBe(12);
    expect(parseTruncated('-12.7', 10, 0)).toBe(-12);
    expect(parseTruncated('-0.7', 10, 0)).toBe(0);
  });

  it('prints exactly the scale', () => {
    expect([[25000, 2], [-5, 2], [0, 2], [-50, 1], [7, 0], [10n ** 20n + 1n, 3], [-(10n ** 20n), 20]].map(([v, s]) => printDecimal(v as number, s as number)))
      .toEqual(['250.00', '-0.05', '0.00', '-5.0', '7', '100000000000000000.001', '-1.00000000000000000000']);
  });

  it('reads back what it prints', () => {
    const r = random('decimal');
    for (let i = 0; i < rounds(5000); i++) {
      const p = r.int(1, 38);
      const s = r.int(0, p);
      const v = wide.canonical(BigInt((r.int(0, 1) ? '-' : '') + r.digits(p)));
      expect(parseDecimal(printDecimal(v, s), p, s)).toBe(v);
      expect(decimalToDouble(v, s)).toBe(Number(`${v}e-${s}`));
    }
  });

  it('takes linear time for a million digits', () => {
    expect(parseDecimal('1'.repeat(1_000_000), 38, 2)).toBe('range');
    expect(parseDecimal(`0.${'1'.repeat(1_000_000)}`, 38, 2)).toBe(11);
  });
});

describe('double text', () => {
  // printed by OpenJDK 17's Double.toString and Float.toString
  it.each([
    [5000, '5000.0'], [1e10, '1.0E10'], [1e-4, '1.0E-4'], [1e7, '1.0E7'], [9999999, '9999999.0'], [1e-3, '0.001'], [0.00099, '9.9E-4'], [123456.789, '123456.789'],
    [0.1, '0.1'], [100, '100.0'], [1 / 3, '0.3333333333333333'], [-2.5, '-2.5'], [Number.MAX_VALUE, '1.7976931348623157E308'], [1e21, '1.0E21'],
    [12345678.9, '1.23456789E7'], [2.2250738585072014e-308, '2.2250738585072014E-308'], [0.0012, '0.0012'], [-0, '-0.0'], [0, '0.0'], [1e100, '1.0E100'], [1.5e-7, '1.5E-7'],
    [9.999999e6, '9999999.0'], [-1e-10, '-1.0E-10'], [Number.MIN_VALUE, '4.9E-324'], [NaN, 'NaN'], [Infinity, 'Infinity'], [-Infinity, '-Infinity'], [-1234.5, '-1234.5'], [20, '20.0'],
  ])('%d is %s', (x, text) => expect(javaDouble(x)).toBe(text));

  it.each([[0.1, '0.1'], [1e10, '1.0E10'], [3.4028235e38, '3.4028235E38'], [16777216, '1.6777216E7'], [1.5, '1.5'], [1e-4, '1.0E-4'], [123456.79, '123456.79'], [1 / 3, '0.33333334'], [-0.5, '-0.5'], [0, '0.0']])(
    'float %d is %s', (x, text) => expect(javaFloat(Math.fround(x))).toBe(text));

  it('reads back', () => {
    const r = random('double');
    const view = new DataView(new ArrayBuffer(8));
    for (let i = 0; i < rounds(20_000); i++) {
      view.setUint32(0, r.int(0, 0xffffffff));
      view.setUint32(4, r.int(0, 0xffffffff));
      const x = view.getFloat64(0);
      if (!Number.isFinite(x)) continue;
      expect(javaDouble(x)).toMatch(/^-?(\d{1,7}\.\d+|\d\.\d+E-?\d+)$/);
      expect(Number(javaDouble(x))).toBe(x);
      const f = view.getFloat32(0);
      if (Number.isFinite(f)) expect(Math.fround(Number(javaFloat(f)))).toBe(f);
    }
  });

  it('parses strictly and stays finite', () => {
    expect(['1', '-1.5e3', '.5', '5.', '+2'].map(parseDouble)).toEqual([1, -1500, 0.5, 5, 2]);
    for (const bad of ['', '.', 'NaN', 'Infinity', '1e999', '0x1', '1f', ' 1', '1e', '--1']) expect(parseDouble(bad), bad).toBeNull();
  });
});

describe('text by code points', () => {
  const pool = ['a', 'Z', 'é', '\u{1F600}', '\uFFFD', '\uE000', '中', ''];
  it('orders like the UTF-8 bytes', () => {
    const r = random('text');
    for (let i = 0; i < rounds(20_000); i++) {
      const [a, b] = [r.text(pool, 5), r.text(pool, 5)];
      expect(compareText(a, b)).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }
  });

  it('slices, seeks and reverses like an array of code points', () => {
    const r = random('slices');
    for (let i = 0; i < rounds(20_000); i++) {
      const s = r.text(pool, 6);
      const points = [...s];
      const [from, to] = [r.int(0, 7), r.int(0, 7)];
      expect(lengthOf(s)).toBe(points.length);
      expect(slice(s, from, to)).toBe(points.slice(from, Math.max(to, from)).join(''));
      expect(reverse(s)).toBe(points.toReversed().join(''));
      expect(advance(s, 0, from)).toBe(points.slice(0, from).join('').length);
      expect(retreat(s, s.length, from)).toBe(from > points.length ? -1 : points.slice(0, points.length - from).join('').length);
      const seek = pool[r.int(0, 6)] as string;
      const at = seek === '' ? 0 : points.indexOf(seek, from);
      if (seek !== '') expect(position(s, seek, from + 1)).toBe(at + 1);
    }
  });
});
