import type { NewRecord } from '../../src/connectors/connector.ts';

/** What one record between two good ones leads to. */
export interface PoisonCase {
  readonly name: string;
  readonly value: string | Buffer | null;
  readonly more?: Partial<NewRecord>;
  /** Code of the dead letter, or null: it is a row like others. */
  readonly code: string | null;
  /** Rows of the result: beside that of the good records where the record is a row, else instead of it. */
  readonly rows?: readonly string[];
  readonly kind?: 'late' | 'future' | 'failed';
  /** Another query than the sums. */
  readonly query?: 'ratios' | 'exact' | 'repeat' | 'double';
  readonly schema?: string;
}

const MB = 1 << 20;
const T = '1704110400';
const record = (fields: string, account = 'p'): string => `{"account":"${account}","amount":4,"timestamp":"${T}"${fields === '' ? '' : `,${fields}`}}`;
const sum = (account: string, total: string, n: number): string => `{"account":${account === 'null' ? 'null' : JSON.stringify(account)},"total":${total},"n":${n}}`;
const row = (name: string, value: string | Buffer, rows: readonly string[], more: Partial<PoisonCase> = {}): PoisonCase => ({ name, value, code: null, rows, ...more });
const bad = (name: string, value: string | Buffer | null, code = 'user.data.decode', more: Partial<PoisonCase> = {}): PoisonCase => ({ name, value, code, ...more });
const own = (name: string, account: string, value = record('', account)): PoisonCase => row(name, value, [sum(JSON.parse(`"${account}"`) as string, '4.00', 1)]);

const USED = "COUNT(*) FILTER (WHERE x > 0 OR i > 0 OR b OR n > 0 OR at > TIMESTAMP '1970-01-01 00:00:00' OR TRUE) AS n";

/** The queries of the cases: what no query uses is not read. Over the columns account STRING, amount DECIMAL(12,2), n BIGINT, x DOUBLE, i INT, b BOOLEAN, at TIMESTAMP(3), timestamp STRING. */
export const QUERIES: Readonly<Record<NonNullable<PoisonCase['query']> | 'sums', string>> = {
  sums: `SELECT account, SUM(amount) AS total, ${USED} FROM {t} GROUP BY account, TUMBLE(ts, INTERVAL '10' SECOND)`,
  ratios: "SELECT account, SUM(12 / amount) AS total, COUNT(*) AS n FROM {t} GROUP BY account, TUMBLE(ts, INTERVAL '10' SECOND)",
  exact: "SELECT account, SUM(n + 1) AS total, COUNT(*) AS n FROM {t} GROUP BY account, TUMBLE(ts, INTERVAL '10' SECOND)",
  repeat: "SELECT account, REPEAT('x', i) AS total, 1 AS n FROM {t}",
  double: "SELECT account, CAST(CASE account WHEN 'g' THEN '1' ELSE account END AS DOUBLE) AS total, 1 AS n FROM {t}",
};

export const SCHEMA = 'account STRING, amount DECIMAL(12,2), n BIGINT, x DOUBLE, i INT, b BOOLEAN, at TIMESTAMP(3), timestamp STRING';

/** Good records stand before and after each; of account "g". */
export const GOOD = `{"account":"g","amount":1,"n":1,"i":1,"timestamp":"${T}"}`;
export const GOOD_ROW = sum('g', '2.00', 2);

const nested = (n: number): string => '['.repeat(n) + ']'.repeat(n);

export const poisonCases: readonly PoisonCase[] = [
  // no JSON, or not of an object
  bad('text', 'hello'),
  bad('an empty value', ''),
  bad('blanks', ' \n\t'),
  bad('a byte order mark', `\ufeff${record('')}`),
  bad('NaN', record('"x":NaN')),
  bad('-Infinity', record('"x":-Infinity')),
  bad('bytes after the object', `${record('')} ${record('')}`),
  bad('an object cut short', record('').slice(0, -1)),
  bad('an array', `[${record('')}]`),
  bad('a string', '"p"'),
  bad('null', 'null'),
  bad('bytes that are not UTF-8', Buffer.from(record('', 'p\xff'), 'latin1')),
  bad('a surrogate in UTF-8', Buffer.from(record('', '\xed\xa0\x80'), 'latin1')),
  bad('UTF-16', Buffer.from(record(''), 'utf16le')),
  bad('a control character in a string', record('', 'p\u0001')),
  bad('a number with a leading zero', record('"n":01')),
  bad('nested 10,000 deep where nobody looks', record(`"deep":${nested(10_000)}`)),
  bad('nested 10,000 deep in a column', `{"account":${nested(10_000)},"amount":4,"timestamp":"${T}"}`),
  bad('nested a million deep without an end', `{"account":${'['.repeat(1_000_000)}`),
  bad('a tombstone', null, 'user.data.tombstone'),
  // objects whose values are not of their types
  bad('text for a decimal', `{"account":"p","amount":"many","timestamp":"${T}"}`, 'user.data.type'),
  bad('true for a decimal', `{"account":"p","amount":true,"timestamp":"${T}"}`, 'user.data.type'),
  bad('an object for a decimal', `{"account":"p","amount":{"a":1},"timestamp":"${T}"}`, 'user.data.type'),
  bad('1e400 for a double', record('"x":1e400'), 'user.data.type'),
  bad('1e400 for a decimal', `{"account":"p","amount":1e400,"timestamp":"${T}"}`, 'user.data.type'),
  bad('a decimal with too many digits', `{"account":"p","amount":12345678901.5,"timestamp":"${T}"}`, 'user.data.type'),
  bad('2^63 for a BIGINT', record('"n":9223372036854775808'), 'user.data.type'),
  bad('a fraction for an INT', record('"i":1.5'), 'user.data.type'),
  bad('yes for a BOOLEAN', record('"b":"yes"'), 'user.data.type'),
  bad('February 30 for a TIMESTAMP', record('"at":"2024-02-30T00:00:00Z"'), 'user.data.type'),
  bad('a missing NOT NULL', `{"amount":4,"timestamp":"${T}"}`, 'user.data.missing', { schema: SCHEMA.replace('account STRING', 'account STRING NOT NULL') }),
  bad('null for a NOT NULL', `{"account":null,"amount":4,"timestamp":"${T}"}`, 'user.data.missing', { schema: SCHEMA.replace('account STRING', 'account STRING NOT NULL') }),
  bad('more than a megabyte', record('', 'x'.repeat(MB)), 'user.data.too_large'),
  bad('ten megabytes', record('', 'x'.repeat(10 * MB)), 'user.data.too_large'),
  // event time
  bad('words for a time', record('').replace(T, 'soon'), 'user.data.event_time'),
  bad('no time', '{"account":"p","amount":4}', 'user.data.event_time'),
  bad('a time beyond all calendars', record('').replace(T, '9'.repeat(30)), 'user.data.event_time'),
  bad('the year 2999', record('').replace(T, '32472144000'), 'user.data.future_event', { kind: 'future' }),
  bad('milliseconds for seconds', record('').replace(T, `${T}000`), 'user.data.future_event', { kind: 'future' }),
  bad('1970', record('').replace(T, '0'), 'user.data.late', { kind: 'late' }),
  bad('before 1970', record('').replace(T, '-86400'), 'user.data.late', { kind: 'late' }),
  // SQL that fails on the row
  bad('division by zero', `{"account":"g","amount":0,"timestamp":"${T}"}`, 'user.data.division_by_zero', { kind: 'failed', query: 'ratios', rows: ['{"account":"g","total":24.0000000000000,"n":2}'] }),
  bad('an overflow of BIGINT', `{"account":"g","n":9223372036854775807,"timestamp":"${T}"}`, 'user.data.overflow', { kind: 'failed', query: 'exact', rows: ['{"account":"g","total":4,"n":2}'] }),
  bad('a row too large to send', record('"i":1200000'), 'user.data.output_too_large', { kind: 'failed', query: 'repeat', rows: ['{"account":"g","total":"x","n":1}', '{"account":"g","total":"x","n":1}'] }),
  bad('a DOUBLE that is no JSON', record('', 'Infinity'), 'user.data.cast', { kind: 'failed', query: 'double', rows: ['{"account":"g","total":1.0,"n":1}', '{"account":"g","total":1.0,"n":1}'] }),
  // rows like others
  row('a column that nobody declared', record('"extra":{"a":[1,{"b":null}]}'), [sum('p', '4.00', 1)]),
  row('missing columns', `{"timestamp":"${T}"}`, ['{"account":null,"total":null,"n":1}']),
  row('duplicate keys: the last wins', record('"amount":7'), [sum('p', '7.00', 1)]),
  row('a wrong duplicate before a right one', `{"amount":"many",${record('').slice(1)}`, [sum('p', '4.00', 1)]),
  row('the key __proto__', record('"__proto__":{"x":1,"amount":9}'), [sum('p', '4.00', 1)]),
  row('the key constructor', record('"constructor":{"prototype":{"x":1}}'), [sum('p', '4.00', 1)]),
  own('the account __proto__', '__proto__'),
  own('the account constructor', 'constructor'),
  own('the account toString', 'toString'),
  row('-0', `{"account":"p","amount":-0,"timestamp":"${T}"}`, [sum('p', '0.00', 1)]),
  row('2^53 + 1', record('"n":9007199254740993'), [sum('p', '9007199254740994', 1)], { query: 'exact' }),
  row('numbers in quotes', `{"account":12,"amount":"4.005","timestamp":${T}}`, [sum('12', '4.01', 1)]),
  own('a lone surrogate', '\\ud800'),
  own('NUL', 'a\\u0000b'),
  own('line separators', 'a\\u2028b\\u2029'),
  own('text from right to left', '\\u202eabc'),
  own('escape sequences', '\\u001b[2J\\u009b31m'),
  own('a script', '<script>alert(1)</script>'),
  row('a null key', record(''), [sum('p', '4.00', 1)], { more: { key: null } }),
  row('a key of a megabyte', record(''), [sum('p', '4.00', 1)], { more: { key: Buffer.alloc(MB, 'k') } }),
  row('a hundred thousand headers', record(''), [sum('p', '4.00', 1)], { more: { headers: Array.from({ length: 100_000 }, (_, i) => ({ key: `h${i}`, value: i % 2 === 0 ? null : Buffer.from('v') })) } }),
  row('just a megabyte', record(`"pad":"${'x'.repeat(MB - record('"pad":""').length)}"`), [sum('p', '4.00', 1)]),
];
