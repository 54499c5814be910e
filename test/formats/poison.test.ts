import { afterEach, describe, expect, it } from 'vitest';
import { BIGINT, STRING } from '../../src/sql/types.ts';
import { column, decoders, outcomes, reading, recordsOf } from './support.ts';

const A = [column('a', STRING)];
describe.each(decoders)('$name', ({ decoderOf }) => {
  const { one } = reading(decoderOf);

  const problem = (value: string | Uint8Array | null): string => {
    const r = one(A, value);
    return 'row' in r ? `row ${JSON.stringify(r.row)}` : `${r.code}: ${r.message}`;
  };

  afterEach(() => { expect(Object.keys(Object.prototype)).toEqual([]); });

  describe('records that are no rows', () => {
    const cases: [what: string, value: string | Uint8Array | null, problem: string][] = [
      ['a tombstone', null, 'user.data.tombstone: a null value (tombstone) is no row'],
      ['an empty value', '', 'user.data.decode: an empty value is not JSON'],
      ['blanks', ' \n\t\r', 'user.data.decode: not JSON: ends early, after 4 bytes'],
      ['a byte order mark', '\ufeff{"a":"x"}', 'user.data.decode: not JSON: begins with a byte order mark'],
      ['another blank', '\u00a0{"a":"x"}', 'user.data.decode: not JSON: unexpected byte 0xc2 at byte 0'],
      ['NaN', '{"a":NaN}', 'user.data.decode: not JSON: unexpected "N" at byte 5'],
      ['Infinity', '{"a":-Infinity}', 'user.data.decode: not JSON: unexpected "I" at byte 6'],
      ['undefined', '{"a":undefined}', 'user.data.decode: not JSON: unexpected "u" at byte 5'],
      ['a word cut short', '{"a":nul}', 'user.data.decode: not JSON: unexpected "}" at byte 8'],
      ['bytes after the object', '{"a":"x"} {"a":"y"}', 'user.data.decode: not JSON: "{" at byte 10, after the end of the object'],
      ['a NUL after the object', '{"a":"x"}\0', 'user.data.decode: not JSON: byte 0x00 at byte 9, after the end of the object'],
      ['an object cut short', '{"a":"x"', 'user.data.decode: not JSON: ends early, after 8 bytes'],
      ['a string cut short', '{"a":"x', 'user.data.decode: not JSON: ends early, after 7 bytes'],
      ['a key cut short', '{"a', 'user.data.decode: not JSON: ends early, after 3 bytes'],
      ['a number cut short', '{"a":1', 'user.data.decode: not JSON: ends early, after 6 bytes'],
      ['no value', '{"a":}', 'user.data.decode: not JSON: unexpected "}" at byte 5'],
      ['no colon', '{"a" "x"}', 'user.data.decode: not JSON: unexpected """ at byte 5'],
      ['a comma too many', '{"a":"x",}', 'user.data.decode: not JSON: unexpected "}" at byte 9'],
      ['a comma first', '{,"a":"x"}', 'user.data.decode: not JSON: unexpected "," at byte 1'],
      ['single quotes', "{'a':'x'}", 'user.data.decode: not JSON: unexpected "\'" at byte 1'],
      ['a comment', '{/**/"a":"x"}', 'user.data.decode: not JSON: unexpected "/" at byte 1'],
      ['a control character in a string', '{"a":"x\ny"}', 'user.data.decode: not JSON: unexpected byte 0x0a at byte 7'],
      ['a wrong escape', '{"a":"\\x41"}', 'user.data.decode: not JSON: unexpected "x" at byte 7'],
      ['a wrong \\u escape', '{"a":"\\u00g0"}', 'user.data.decode: not JSON: unexpected "g" at byte 10'],
      ['a wrong value that nobody wants', '{"a":"x","b":[1,2,]}', 'user.data.decode: not JSON: unexpected "]" at byte 18'],
      ['a wrong type and broken JSON', '{"a":1e400,"b":01}', 'user.data.decode: not JSON: unexpected "1" at byte 16'],
      ['bytes that are not UTF-8', Buffer.from('{"a":"\xff"}', 'latin1'), 'user.data.decode: not UTF-8'],
      ['bytes that are not UTF-8 in what nobody wants', Buffer.from('{"a":"x","b":"\xc3("}', 'latin1'), 'user.data.decode: not UTF-8'],
      ['bytes that are not UTF-8 in a key', Buffer.from('{"a":"x","\xc3":1}', 'latin1'), 'user.data.decode: not UTF-8'],
      ['a surrogate in UTF-8', Buffer.from('{"a":"\xed\xa0\x80"}', 'latin1'), 'user.data.decode: not UTF-8'],
      ['bytes that are not UTF-8 outside of strings', Buffer.from('{"a":\xff}', 'latin1'), 'user.data.decode: not JSON: unexpected byte 0xff at byte 5'],
      ['UTF-16', Buffer.from('{"a":"x"}', 'utf16le'), 'user.data.decode: not JSON: unexpected byte 0x00 at byte 1'],
      ['an array', '[{"a":"x"}]', 'user.data.decode: an array is no row: a record is a JSON object'],
      ['a string', ' "a" ', 'user.data.decode: a string is no row: a record is a JSON object'],
      ['a number', '12', 'user.data.decode: a number is no row: a record is a JSON object'],
      ['null', 'null', 'user.data.decode: null is no row: a record is a JSON object'],
      ['two numbers', '1 2', 'user.data.decode: not JSON: "2" at byte 2, after the end of the object'],
      ['text', 'hello', 'user.data.decode: not JSON: unexpected "h" at byte 0'],
    ];
    it.each(cases)('%s', (_what, value, expected) => { expect(problem(value)).toBe(expected); });
  });

  it('a good record between bytes that are not UTF-8 is a row', () => {
    const decoder = decoderOf(A);
    const records = recordsOf(['{"a":"é"}', Buffer.from('{"a":"\xff"}', 'latin1'), '{"a":"ü"}']);
    const bad: number[] = [];
    const batch = decoder.decode(records, 0, 3, i => bad.push(i));
    expect(bad).toEqual([1]);
    expect((batch.cols[0] as unknown[]).slice(0, 2)).toEqual(['é', 'ü']);
  });

  it('a character cut in two by the end of records is not UTF-8, though the bytes together are', () => {
    const bytes = Buffer.from('{"a":"é"}');
    const halves = [bytes.subarray(0, 7), bytes.subarray(7)];
    const records = { ...recordsOf(halves, ''), data: bytes };
    const bad: string[] = [];
    expect(decoderOf(A).decode(records, 0, 2, (_i, code) => bad.push(code)).length).toBe(0);
    expect(bad).toEqual(['user.data.decode', 'user.data.decode']);
  });

  it('nesting ends at 128 levels, the record itself being the first', () => {
    const nested = (n: number, open = '[', close = ']'): string => `{"b":${open.repeat(n - 1)}${close.repeat(n - 1)},"a":"x"}`;
    expect(problem(nested(128))).toBe('row ["x"]');
    expect(problem(nested(129))).toBe('user.data.decode: nested deeper than 128 levels');
    expect(problem(nested(100_000))).toBe('user.data.decode: nested deeper than 128 levels');
    expect(problem('['.repeat(129))).toBe('user.data.decode: nested deeper than 128 levels');
    expect(problem(`{"b":${'{"c":'.repeat(127)}1${'}'.repeat(127)}}`)).toBe('row [null]');
    expect(problem(`{"b":${'{"c":'.repeat(128)}1${'}'.repeat(128)}}`)).toBe('user.data.decode: nested deeper than 128 levels');
    expect(problem(`{"a":${'['.repeat(128)}${']'.repeat(128)}}`)).toBe('user.data.decode: nested deeper than 128 levels');
    expect(problem('{"a":"y"}')).toBe('row ["y"]');
  });

  it('a record beyond the limit is not read, even if it is JSON', () => {
    const decoder = decoderOf(A, 20);
    expect(outcomes(decoder, ['{"a":"xxxxxxxxxxxx"}', '{"a":"xxxxxxxxxxxxx"}', '{'.repeat(21)])).toEqual([
      { row: ['xxxxxxxxxxxx'] },
      { code: 'user.data.too_large', message: '21 bytes, more than settings.max_record_bytes (20)' },
      { code: 'user.data.too_large', message: '21 bytes, more than settings.max_record_bytes (20)' },
    ]);
  });

  it('a record of 1 MB is read', () => {
    const long = 'é'.repeat(500_000);
    expect(one(A, `{"a":"${long}"}`)).toEqual({ row: [long] });
    expect(problem(`{"b":"${'\\u0041'.repeat(150_000)}","a":"x"}`)).toBe('row ["x"]');
    expect(one([column('a', BIGINT)], `{"a":${'9'.repeat(1_000_000)}}`)).toMatchObject({ code: 'user.data.type' });
  });

  it('what strings hold is stored as it is', () => {
    const texts = ['\0', '\u2028\u2029', '\u202eevil', '\u001b[31mred', '<script>alert(1)</script>', '\ud800', '\udfff\ud800', "'; DROP TABLE x; --", '__proto__'];
    expect(outcomes(decoderOf(A), texts.map(t => JSON.stringify({ a: t })))).toEqual(texts.map(t => ({ row: [t] })));
  });
});
