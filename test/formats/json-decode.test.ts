import { describe, expect, it } from 'vitest';
import { BIGINT, BOOLEAN, BYTES, DATE, DOUBLE, FLOAT, INT, SMALLINT, STRING, TIME, TIMESTAMP, TIMESTAMP_LTZ, TINYINT, decimal } from '../../src/sql/types.ts';
import { column, decoders, outcomes, reading, recordsOf, rowsOf } from './support.ts';

const TYPE = '!user.data.type';
const DECODE = '!user.data.decode';
const TRANSACTION = [
  column('account', STRING), column('amount', decimal(12, 2)), column('timestamp', STRING), column('type', STRING),
  column('ts', TIMESTAMP_LTZ, { key: 'timestamp', time: 's' }),
];

describe.each(decoders)('$name', ({ decoderOf }) => {
  const { one, read } = reading(decoderOf);

  describe('a transaction as producers send it', () => {
    it('is read with its time', () => {
      expect(one(TRANSACTION, '{"account":"1234","amount":600.25,"timestamp":"1704110400","type":"deposit"}')).toEqual({ row: ['1234', 60025, '1704110400', 'deposit', 1704110400000] });
    });

    it('has an account that is a number or a string', () => {
      const values = ['{"account":9999,"amount":600,"timestamp":"1704110400","type":"deposit"}', '{"account":"9999","amount":600,"timestamp":1704110400,"type":"deposit"}'];
      const same = { row: ['9999', 60000, '1704110400', 'deposit', 1704110400000] };
      expect(outcomes(decoderOf(TRANSACTION), values)).toEqual([same, same]);
    });

    it('may have its keys in any order, blanks, unknown fields and missing ones', () => {
      const values = [
        ' {"type" : "deposit" ,\n"timestamp":"1704110401","x":{"account":[1,{"y":null}]},\t"account":"a"}\r\n',
        '{"account":"b","amount":"1.5","timestamp":"1704110402","type":null,"note":"\\u00e9"}',
        '{"timestamp":"1704110403"}',
      ];
      expect(outcomes(decoderOf(TRANSACTION), values)).toEqual([
        { row: ['a', null, '1704110401', 'deposit', 1704110401000] },
        { row: ['b', 150, '1704110402', null, 1704110402000] },
        { row: [null, null, '1704110403', null, 1704110403000] },
      ]);
    });

    it('leaves the bad ones out and goes on', () => {
      const decoder = decoderOf(TRANSACTION);
      const good = (n: number): string => `{"account":"${n}","amount":${n},"timestamp":"1704110400","type":"deposit"}`;
      const records = recordsOf([good(0), 'x', good(2), null, '{"account":"4","amount":"abc","timestamp":"1"}', '{"account":"5"}', good(6)]);
      const bad: [number, string, string][] = [];
      const batch = decoder.decode(records, 1, 7, (i, code, message) => bad.push([i, code, message]));
      expect(rowsOf(batch).map(r => r[0])).toEqual(['2', '6']);
      expect([...(batch.origin?.rows.subarray(0, 2) ?? [])]).toEqual([2, 6]);
      expect(batch.nulls).toEqual([null, null, null, null, null]);
      expect(bad).toEqual([
        [1, 'user.data.decode', 'not JSON: unexpected "x" at byte 0'],
        [3, 'user.data.tombstone', 'a null value (tombstone) is no row'],
        [4, 'user.data.type', 'amount: "abc" is not DECIMAL(12,2)'],
        [5, 'user.data.event_time', 'timestamp: missing, so the record has no event time'],
      ]);
    });

    it('is read alike in batches of any size', () => {
      const decoder = decoderOf(TRANSACTION);
      const n = 300;
      const records = recordsOf(Array.from({ length: n }, (_, i) => (i % 7 === 3 ? '{' : `{"account":"${i % 11}",${i % 5 === 0 ? '' : `"amount":${i},`}"timestamp":"${i}","type":"d"}`)));
      const read = (size: number): unknown[] => {
        const rows: unknown[] = [];
        for (let at = 0; at < n; at += size) rows.push(...rowsOf(decoder.decode(records, at, Math.min(n, at + size), () => {})));
        return rows;
      };
      const all = read(n);
      expect(all.length).toBe(257);
      expect(read(1)).toEqual(all);
      expect(read(7)).toEqual(all);
    });
  });

  describe('columns', () => {
    it('STRING takes text and the canonical text of all else', () => {
      const cases: [string, string][] = [
        ['""', ''], ['"a b"', 'a b'], ['9999', '9999'], ['0', '0'], ['-0', '0'], ['-0.00', '0.00'], ['-5', '-5'], ['1.50', '1.50'], ['1e3', '1000'], ['1.5E+3', '1500'], ['1.50e1', '15.0'],
        ['1.5e-3', '0.0015'], ['0.05e1', '0.5'], ['-2.5e2', '-250'], ['9007199254740993', '9007199254740993'], ['123456789012345678901234567890', '123456789012345678901234567890'],
        ['true', 'true'], ['false', 'false'], ['{"b": [1, 2.50]}', '{"b": [1, 2.50]}'], ['[ ]', '[ ]'], ['["é"]', '["é"]'],
        ['"\\u0041\\n\\"\\\\\\/\\b\\f\\r\\t"', 'A\n"\\/\b\f\r\t'], ['"\\ud83d\\ude00"', '😀'], ['"\\ud800"', '\ud800'], ['"\\u0000"', '\0'], ['"né 😀 \\u2028"', 'né 😀 \u2028'],
      ];
      for (const [json, text] of cases) expect(read(STRING, json), json).toBe(text);
      for (const json of ['1e400', '1e-400', '1e999999999']) expect(read(STRING, json), json).toBe(TYPE);
    });

    it('STRING keeps apart texts that share hash slots', () => {
      const texts = Array.from({ length: 60_000 }, (_, i) => `k${(i * 7919) % 30_011}`);
      expect(outcomes(decoderOf([column('a', STRING)]), texts.map(t => `{"a":"${t}"}`)).map(o => ('row' in o ? o.row[0] : o.code))).toEqual(texts);
    });

    it('BIGINT is exact, from a number or its text, and an integer', () => {
      const cases: [string, unknown][] = [
        ['5', 5], ['"5"', 5], ['-5', -5], ['-0', 0], ['5.0', 5], ['"5.00"', 5], ['1e3', 1000], ['12.5e1', 125], ['1e0000000003', 1000], ['"007"', 7], ['" 7 "', 7], ['"+7"', 7], ['"\\u0037"', 7],
        ['9007199254740991', 9007199254740991], ['9007199254740992', 9007199254740992n], ['9007199254740993', 9007199254740993n], ['"-9007199254740993"', -9007199254740993n],
        ['9223372036854775807', 9223372036854775807n], ['-9223372036854775808', -9223372036854775808n], ['1234567890123456', 1234567890123456], ['0e999999999', 0], ['0.000', 0],
        ['9223372036854775808', TYPE], ['-9223372036854775809', TYPE], ['5.9', TYPE], ['"5.9"', TYPE], ['1e-1', TYPE], ['1e19', TYPE], ['1e999999999', TYPE], ['1e99999999999', TYPE],
        ['""', TYPE], ['"ACC-7"', TYPE], ['"1 2"', TYPE], ['"0x10"', TYPE], ['"NaN"', TYPE], ['"-"', TYPE], ['true', TYPE], ['{}', TYPE], ['[1]', TYPE],
        ['007', DECODE], ['+7', DECODE], ['5.', DECODE], ['.5', DECODE], ['-', DECODE], ['1e', DECODE], ['0x10', DECODE], ['NaN', DECODE], ['Infinity', DECODE],
      ];
      for (const [json, value] of cases) expect(read(BIGINT, json), json).toBe(value);
    });

    it('smaller integers are checked against their range', () => {
      expect(['127', '-128', '128', '-129', '1.0', '1.5', '1e2', '"12"'].map(v => read(TINYINT, v))).toEqual([127, -128, TYPE, TYPE, 1, TYPE, 100, 12]);
      expect(['32767', '-32768', '32768'].map(v => read(SMALLINT, v))).toEqual([32767, -32768, TYPE]);
      expect(['2147483647', '-2147483648', '2147483648', '99999999999999999999', '-0'].map(v => read(INT, v))).toEqual([2147483647, -2147483648, TYPE, TYPE, 0]);
    });

    it('DECIMAL is the exact scaled integer, rounded half up beyond its scale', () => {
      const narrow: [string, unknown][] = [
        ['0.10', 10], ['600', 60000], ['600.25', 60025], ['"600.25"', 60025], ['-0', 0], ['-0.001', 0], ['12.345', 1235], ['-12.345', -1235], ['12.344999999999999999999', 1234], ['1e2', 10000], ['1.2345e2', 12345],
        ['9999999999.99', 999999999999], ['-9999999999.99', -999999999999], ['9999999999.994', 999999999999], ['9999999999.995', TYPE], ['10000000000', TYPE], ['1e10', TYPE], ['1e400', TYPE], ['1e-400', 0],
        ['"abc"', TYPE], ['true', TYPE], ['""', TYPE], ['".5"', 50], ['00.5', DECODE], ['0.5e', DECODE],
      ];
      for (const [json, value] of narrow) expect(read(decimal(12, 2), json), json).toBe(value);
      const wide: [string, unknown][] = [
        ['0.1', 1e9], ['9007199254740993.0000000001', 90071992547409930000000001n], ['-1.00000000005', -10000000001], ['1234567.1234567891', 12345671234567891n], ['99999999999999999999999999999', TYPE],
        ['0.00000000005', 1], ['123456789', 1234567890000000000n], ['12345', 123450000000000],
      ];
      for (const [json, value] of wide) expect(read(decimal(38, 10), json), json).toBe(value);
      expect(read(decimal(38, 30), '1.5')).toBe(15n * 10n ** 29n);
      expect(read(decimal(15, 15), '0.123456789012345')).toBe(123456789012345);
      expect(read(decimal(15, 15), '1')).toBe(TYPE);
    });

    it('DOUBLE is the nearest double and finite', () => {
      const cases: [string, unknown][] = [
        ['0.1', 0.1], ['1e3', 1000], ['-0', -0], ['"1.5"', 1.5], ['123456789.123456789', 123456789.123456789], ['5e-324', 5e-324], ['1.7976931348623157e308', 1.7976931348623157e308], ['9007199254740993', 9007199254740992],
        ['1e400', TYPE], ['-1e400', TYPE], ['"NaN"', TYPE], ['"Infinity"', TYPE], ['true', TYPE],
      ];
      for (const [json, value] of cases) expect(Object.is(read(DOUBLE, json), value), json).toBe(true);
      expect(read(FLOAT, '0.1')).toBe(Math.fround(0.1));
      expect(read(FLOAT, '1e39')).toBe(TYPE);
    });

    it('BOOLEAN takes true and false only', () => {
      expect(['true', 'false', 'null', '"true"', '1', 'tru', 'falsee'].map(v => read(BOOLEAN, v))).toEqual([true, false, null, TYPE, TYPE, DECODE, DECODE]);
    });

    it('TIMESTAMP takes ISO text or epoch ms', () => {
      const noon = Date.UTC(2024, 0, 1, 12);
      const cases: [string, unknown][] = [
        ['"2024-01-01T12:00:00Z"', noon], ['"2024-01-01 12:00:00"', noon], ['"2024-01-01T12:00:00.123456"', noon + 123], ['"2024-01-01T14:00:00+02:00"', noon], ['"2024-01-01"', noon - 12 * 3_600_000],
        [String(noon), noon], ['-1', -1], ['1.9', 1], ['-0.5', -1], ['"1969-12-31T23:59:59.999Z"', -1],
        ['"2024-02-30"', TYPE], [`"${noon}"`, TYPE], ['"soon"', TYPE], ['true', TYPE], ['1e300', TYPE], ['253402300800000', TYPE], ['-62135596800001', TYPE],
      ];
      for (const type of [TIMESTAMP, TIMESTAMP_LTZ]) for (const [json, value] of cases) expect(read(type, json), json).toBe(value);
      expect(read({ ...TIMESTAMP, p: 0 }, '-1')).toBe(-1000);
    });

    it('DATE, TIME and BYTES take text', () => {
      expect(['"1970-01-02"', '"1969-12-31"', '"2024-13-01"', '5'].map(v => read(DATE, v))).toEqual([1, -1, TYPE, TYPE]);
      expect(['"00:00:01"', '"23:59:59.999"', '"24:00"', '5'].map(v => read(TIME, v))).toEqual([1000, 86_399_999, TYPE, TYPE]);
      expect(read(BYTES, '"AQL/"')).toEqual(new Uint8Array([1, 2, 255]));
      expect(read(BYTES, '""')).toEqual(new Uint8Array(0));
      expect(['"AQ"', '"A"', '"AQI_"', '"AQ==x"', '"AR=="', '1'].map(v => read(BYTES, v))).toEqual([TYPE, TYPE, TYPE, TYPE, TYPE, TYPE]);
    });

    it('event time is exact in its unit', () => {
      const EVENT = '!user.data.event_time';
      const time = (unit: 's' | 'ms' | 'us' | 'iso', json: string): unknown => read(TIMESTAMP_LTZ, json, { time: unit });
      expect(['1704110400', '"1704110400"', '1704110400.1239', '1704110400.123', '-0.0005', '-1', '1.7041104e9', '8640000000000'].map(v => time('s', v)))
        .toEqual([1704110400000, 1704110400000, 1704110400123, 1704110400123, -1, -1000, 1704110400000, 8.64e15]);
      expect(['1704110400123', '"1704110400123"', '1.5'].map(v => time('ms', v))).toEqual([1704110400123, 1704110400123, 1]);
      expect(['1704110400123999', '"-1"', '9000000000000999', '1704110400123999.9'].map(v => time('us', v))).toEqual([1704110400123, -1, 9000000000000, 1704110400123]);
      expect(['"2024-01-01T12:00:00Z"', '1704110400', '"x"'].map(v => time('iso', v))).toEqual([1704110400000, EVENT, EVENT]);
      expect(['null', '""', '"noon"', '{}', 'true', '1e300', '8640000000001', '"2024-01-01T12:00:00Z"'].map(v => time('s', v))).toEqual(Array(8).fill(EVENT));
      expect(one([column('ts', TIMESTAMP_LTZ, { key: 'timestamp', time: 's' })], '{"timestamp":"2024-01-01"}')).toEqual({ code: 'user.data.event_time', message: 'timestamp: "2024-01-01" is no event time (unit: s)' });
    });

    it('NOT NULL columns need a value', () => {
      const columns = [column('a', INT, { required: true })];
      const missing = { code: 'user.data.missing', message: 'a: missing, but the column is NOT NULL' };
      expect(['{}', '{"a":null}', '{"a":1}', '{"a":1,"a":null}', '{"a":null,"a":1}'].map(v => one(columns, v))).toEqual([missing, missing, { row: [1] }, missing, { row: [1] }]);
    });
  });

  describe('documents', () => {
    it('take the last of duplicate keys, whatever the earlier ones were', () => {
      const columns = [column('a', INT), column('b', INT)];
      const values = ['{"a":1,"a":2}', '{"a":"x","a":2}', '{"a":2,"a":null}', '{"a":null,"a":3,"b":1,"a":4}', '{"a":1,"a":"x"}', '{"a":"x","a":"y","a":5}'];
      expect(outcomes(decoderOf(columns), values)).toEqual([
        { row: [2, null] }, { row: [2, null] }, { row: [null, null] }, { row: [4, 1] }, { code: 'user.data.type', message: 'a: "x" is not INT' }, { row: [5, null] },
      ]);
      const texts = [column('a', STRING), column('b', STRING)];
      const twice = ['{"a":"1","a":"2","b":"3"}', '{"a":"1","b":"2","a":"3","b":"4"}', '{"a":"1","\\u0061":"2","b":"3"}'];
      expect(outcomes(decoderOf(texts), twice)).toEqual(twice.map(t => { const { a, b } = JSON.parse(t) as { a: string; b: string }; return { row: [a, b] }; }));
    });

    it('have keys that are compared after unescaping', () => {
      expect(one([column('ab', INT), column('q"\n', INT), column('é😀', INT)], '{"\\u0061b":1,"q\\"\\u000a":2,"\\u00e9\\ud83d\\ude00":3}')).toEqual({ row: [1, 2, 3] });
      expect(one([column('é', INT), column('', INT)], '{"é":1,"":2}')).toEqual({ row: [1, 2] });
      expect(one([column('ab', INT)], '{"abc":1,"a":2,"aB":3}')).toEqual({ row: [null] });
    });

    it('may name what objects inherit', () => {
      const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
      expect(one(names.map(n => column(n, STRING)), '{"__proto__":"a","constructor":"b","toString":{"__proto__":1},"hasOwnProperty":"__proto__"}')).toEqual({ row: ['a', 'b', '{"__proto__":1}', '__proto__'] });
      expect(one([column('a', STRING)], '{"__proto__":{"a":"polluted"}}')).toEqual({ row: [null] });
      expect(({} as Record<string, unknown>)['a']).toBeUndefined();
    });

    it('name the path and the value of what does not fit, shortened', () => {
      const message = (type = INT, json = '', key = 'a'): string => { const r = one([column(key, type)], `{${JSON.stringify(key)}:${json}}`); return 'message' in r ? r.message : ''; };
      expect(message(decimal(12, 2), '"abc"', 'amount')).toBe('amount: "abc" is not DECIMAL(12,2)');
      expect(message(INT, '5.9')).toBe('a: 5.9 is not INT');
      expect(message(INT, '"x"', 'my key')).toBe('"my key": "x" is not INT');
      expect(message(INT, `"${'é'.repeat(100)}"`)).toBe(`a: "${'é'.repeat(39)}... is not INT`);
      expect(message(INT, '{"b":[1,2]}')).toBe('a: {"b":[1,2]} is not INT');
    });
  });
});
