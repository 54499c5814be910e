import { describe, expect, it } from 'vitest';
import { compareRows } from '../../src/testing/compare.ts';
import { columnsOf, type Columns } from '../../src/testing/received.ts';

const row = (o: Record<string, string | number>): Columns => new Map(Object.entries(o).map(([k, v]) => [k, String(v)]));

describe('rows', () => {
  it('are paired as often as can be', () => {
    const received = [row({ a: 1, b: 1 }), row({ a: 1, b: 2 }), row({ a: 1, b: 3 })];
    expect(compareRows([row({ a: 1 }), row({}), row({ a: 1, b: 1 })], received, false)).toEqual([]);
    expect(compareRows([row({ a: 1 }), row({ a: 1 })], received, false)).toEqual([{ k: 'unexpected', received: 2 }]);
  });

  it('are shown beside those with the most equal columns', () => {
    const received = [row({ a: 1, b: 1, c: 1 }), row({ a: 2, b: 2, c: 2 }), row({ a: 3, b: 3, c: 3 })];
    expect(compareRows([row({ a: 2, b: 1, c: 9 }), row({ a: 2, b: 2, c: 9 }), row({ a: 9 })], received, false)).toEqual([
      { k: 'differs', expected: 0, received: 0 }, { k: 'differs', expected: 1, received: 1 }, { k: 'missing', expected: 2 }, { k: 'unexpected', received: 2 },
    ]);
  });

  it('differ where a column did not come', () => {
    expect(compareRows([row({ a: 1, b: 2 })], [row({ a: 1 })], false)).toEqual([{ k: 'differs', expected: 0, received: 0 }]);
  });

  it('in order: the longest series that both have stays', () => {
    const rows = (...ns: number[]): Columns[] => ns.map(a => row({ a }));
    expect(compareRows(rows(1, 2, 3, 4), rows(1, 3, 4), true)).toEqual([{ k: 'missing', expected: 1 }]);
    expect(compareRows(rows(1, 3, 4), rows(0, 1, 3, 4), true)).toEqual([{ k: 'unexpected', received: 0 }]);
    expect(compareRows(rows(1, 2, 3), rows(1, 9, 3), true)).toEqual([{ k: 'differs', expected: 1, received: 1 }]);
    expect(compareRows([], [], true)).toEqual([]);
  });

  it('keep the digits of their numbers; texts are equal however they are escaped', () => {
    const columns = (text: string): [string, string][] => [...columnsOf(Buffer.from(text))];
    expect(columns('{"a":7500.00,"b":"\\u0041\\/","c":null,"d":[1, 2.0],"e\\n":true,"f":-0}')).toEqual([['a', '7500.00'], ['b', '"A/"'], ['c', 'null'], ['d', '[1, 2.0]'], ['e\n', 'true'], ['f', '-0']]);
    expect([columns('{}'), columns('[1]'), columns('x'), [...columnsOf(null)]]).toEqual([[], [], [], []]);
  });
});
