/** A file whose windows are open when it is edited. `good` and `big` show that stateless parts and shared steps are left alone. */
export const FILE = `name: edits
sources:
  events:
    schema: account STRING, amount DECIMAL(12,2), type STRING, grade DECIMAL(4,1), at BIGINT, note STRING
    event_time: {from: at, unit: ms, delay: 0s}
    create: {partitions: 1}
sinks:
  totals:
    sql: |
      SELECT account, type, SUM(amount) AS total, COUNT(*) AS n, window_start
      FROM events
      WHERE type <> 'test' AND grade < 5
      GROUP BY account, type, TUMBLE(ts, INTERVAL '10' SECOND)
      HAVING SUM(amount) > 1
  big:
    sql: SELECT account, amount FROM events WHERE amount > 100
`;

/** An event as SQLite's table `events` has it. */
export interface Event {
  readonly account: string;
  readonly amount: number;
  readonly type: string;
  readonly grade: number;
  readonly at: number;
}

export const WHERE = "type <> 'test' AND grade < 5";
export const TOTALS = `SELECT account, type, SUM(amount) AS total, COUNT(*) AS n, at / 10000 * 10000 AS window_start FROM events WHERE ${WHERE} GROUP BY 1, 2, 5 HAVING SUM(amount) > 1`;
export const BIG = 'SELECT account, amount FROM events WHERE amount > 100';

export interface Edit {
  readonly what: string;
  readonly from: string | RegExp;
  readonly to: string;
  /** What a run does with open windows, and `pipe explain --diff` says. */
  readonly verdict: 'goes on' | 'refused';
  /** SQLite's query over the whole input, in place of TOTALS. Rows have `window_start`, or are of one group set without a window. */
  readonly truth?: string;
  /** ms of a window. */
  readonly size?: number;
  /** Where its rows go, in place of `totals`. */
  readonly topic?: string;
  /** The same for `big`, of the second half. */
  readonly big?: string;
  readonly bigTopic?: string;
}

const totals = (select: string, o: { where?: string; group?: string; having?: string; size?: number; from?: string } = {}): string =>
  `SELECT ${select}${o.size === 0 ? '' : `, at / ${o.size ?? 10_000} * ${o.size ?? 10_000} AS window_start`} FROM ${o.from ?? 'events'} ${o.where === '' ? '' : `WHERE ${o.where ?? WHERE}`} GROUP BY ${o.group ?? 'account, type'}${o.size === 0 ? '' : `, at / ${o.size ?? 10_000}`} ${o.having ?? 'HAVING SUM(amount) > 1'}`;
const ALL = 'account, type, SUM(amount) AS total, COUNT(*) AS n';

export const edits: readonly Edit[] = [
  // the meaning stays
  { what: 'nothing', from: 'x', to: 'x', verdict: 'goes on' },
  { what: 'a description', from: 'name: edits', to: 'name: edits\ndescription: more words', verdict: 'goes on' },
  { what: 'HAVING with another constant', from: '> 1\n', to: '> 15\n', verdict: 'goes on', truth: totals(ALL, { having: 'HAVING SUM(amount) > 15' }) },
  { what: 'HAVING dropped', from: '      HAVING SUM(amount) > 1\n', to: '', verdict: 'goes on', truth: totals(ALL, { having: '' }) },
  { what: 'HAVING over a key', from: '> 1\n', to: "> 1 AND account <> '2'\n", verdict: 'goes on', truth: totals(ALL, { having: "HAVING SUM(amount) > 1 AND account <> '2'" }) },
  { what: 'HAVING over another aggregate that is there', from: 'HAVING SUM(amount) > 1', to: 'HAVING COUNT(*) > 1', verdict: 'goes on', truth: totals(ALL, { having: 'HAVING COUNT(*) > 1' }) },
  { what: 'another order of columns', from: 'account, type, SUM(amount) AS total, COUNT(*) AS n', to: 'COUNT(*) AS n, type, SUM(amount) AS total, account', verdict: 'goes on' },
  { what: 'another order of group keys', from: 'GROUP BY account, type', to: 'GROUP BY type, account', verdict: 'goes on' },
  { what: 'another name of an aggregate', from: 'AS total', to: 'AS amount_sum', verdict: 'goes on', truth: totals('account, type, SUM(amount) AS amount_sum, COUNT(*) AS n') },
  { what: 'another name of a key', from: 'SELECT account', to: 'SELECT account AS holder', verdict: 'goes on', truth: totals('account AS holder, type, SUM(amount) AS total, COUNT(*) AS n') },
  { what: 'a constant column', from: 'SELECT account,', to: "SELECT 'x' AS x, account,", verdict: 'goes on', truth: totals(`'x' AS x, ${ALL}`) },
  { what: 'a column that the state can give', from: 'window_start\n', to: 'window_start, SUM(amount) / COUNT(*) AS mean, window_end\n', verdict: 'goes on', truth: totals(`${ALL}, ROUND(SUM(amount) * 1.0 / COUNT(*), 6) AS mean, at / 10000 * 10000 + 10000 AS window_end`) },
  { what: 'an output column dropped', from: ' type, SUM(amount) AS total,', to: ' type,', verdict: 'goes on', truth: totals('account, type, COUNT(*) AS n') },
  { what: 'an aggregate dropped', from: ' COUNT(*) AS n,', to: '', verdict: 'goes on', truth: totals('account, type, SUM(amount) AS total') },
  { what: 'the first aggregate dropped, another condition', from: /SUM\(amount\) AS total, ([^]*)HAVING SUM\(amount\) > 1/, to: '$1HAVING COUNT(*) > 0', verdict: 'goes on', truth: totals('account, type, COUNT(*) AS n', { having: '' }) },
  { what: 'all aggregates dropped', from: /SUM\(amount\) AS total, COUNT\(\*\) AS n, ([^]*)      HAVING SUM\(amount\) > 1\n/, to: '$1', verdict: 'goes on', truth: totals('account, type', { having: '' }) },
  { what: 'comments and blanks', from: 'SELECT account', to: 'SELECT -- here\n        account', verdict: 'goes on' },
  { what: 'another spelling of names', from: /SUM\(amount\) AS total, COUNT\(\*\)([^]*?)FROM events/, to: 'sum( e.amount ) AS total, count(*)$1FROM events e', verdict: 'goes on' },
  { what: 'the other spelling of the window', from: /FROM events\n.*\n.*GROUP BY.*\n/, to: "FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND))\n      WHERE type <> 'test' AND grade < 5\n      GROUP BY account, type, window_start, window_end\n", verdict: 'goes on' },
  { what: 'the filter in another order', from: "type <> 'test' AND grade < 5", to: "grade < 5 AND type <> 'test'", verdict: 'goes on' },
  { what: 'part of the filter moved to a step', from: /sinks:([^]*?)FROM events\n      WHERE type <> 'test' AND grade < 5/, to: "steps:\n  real: SELECT * FROM events WHERE type <> 'test'\nsinks:$1FROM real\n      WHERE grade < 5", verdict: 'goes on' },
  { what: 'a step that two sinks read', from: /sinks:([^]*?)FROM events\n      WHERE type <> 'test' AND grade < 5([^]*)$/, to: "steps:\n  real: SELECT account AS holder, amount * 1 AS amount, type AS kind, ts, grade FROM events WHERE type <> 'test'\nsinks:\n  more:\n    sql: SELECT holder, amount * 2 AS twice FROM real\n$1FROM (SELECT holder AS account, kind AS type, amount, ts, grade FROM real)\n      WHERE grade < 5$2", verdict: 'refused' },
  { what: 'the same without arithmetic', from: /sinks:([^]*?)FROM events\n      WHERE type <> 'test' AND grade < 5([^]*)$/, to: "steps:\n  real: SELECT account AS holder, amount, type AS kind, ts, grade FROM events WHERE type <> 'test'\nsinks:\n  more:\n    sql: SELECT holder, amount * 2 AS twice FROM real\n$1FROM (SELECT holder AS account, kind AS type, amount, ts, grade FROM real)\n      WHERE grade < 5$2", verdict: 'goes on' },
  { what: 'the grouping moved to a step, another one over it', from: /sinks:\n  totals:\n    sql: \|\n([^]*?) {2}big:/, to: "steps:\n  per: |\n$1sinks:\n  totals:\n    sql: SELECT account, SUM(total) AS total, window_start FROM (SELECT account, total, window_time FROM per) GROUP BY account, TUMBLE(window_time, INTERVAL '10' SECOND)\n  big:", verdict: 'goes on', truth: `SELECT account, SUM(total) AS total, window_start FROM (${TOTALS}) GROUP BY 1, 3` },
  { what: 'one more column in the schema', from: 'at BIGINT', to: 'at BIGINT, more STRING', verdict: 'goes on' },
  { what: 'a column that nobody reads dropped', from: ', note STRING', to: '', verdict: 'goes on' },
  { what: 'another type of a column that nobody reads', from: 'note STRING', to: 'note BIGINT', verdict: 'goes on' },
  { what: 'another name of the event time', from: /unit: ms([^]*)TUMBLE\(ts/, to: 'unit: ms, as: moment$1TUMBLE(moment', verdict: 'goes on' },
  { what: 'delay', from: 'delay: 0s', to: 'delay: 1s', verdict: 'goes on' },
  { what: 'idle and max_future', from: 'delay: 0s', to: 'delay: 0s, idle: 3s, max_future: 2h', verdict: 'goes on' },
  { what: 'settings', from: /$/, to: 'settings: {memory: 1GB, max_bad: 50%}\n', verdict: 'goes on' },
  { what: 'partitions', from: 'partitions: 1', to: 'partitions: 4', verdict: 'goes on' },
  { what: 'the format of a sink', from: '  totals:', to: '  totals:\n    format: {type: json, decimals: string}', verdict: 'goes on' },
  { what: 'the key of a sink', from: '  totals:', to: '  totals:\n    key: account', verdict: 'goes on' },
  { what: 'on_error of a source and a sink', from: /  events:([^]*)  totals:/, to: '  events:\n    on_error: skip$1  totals:\n    on_error: stop', verdict: 'goes on' },
  { what: 'a source with another name', from: /  events:\n([^]*)FROM events([^]*)FROM events/, to: '  happenings:\n    topic: events\n$1FROM happenings$2FROM happenings', verdict: 'goes on' },
  { what: 'a sink with another name', from: '  totals:', to: '  sums:\n    topic: totals', verdict: 'goes on' },
  { what: 'a sink with another name and topic', from: '  totals:', to: '  sums:', verdict: 'goes on', topic: 'sums' },
  { what: 'a sink with another topic', from: '  totals:', to: '  totals:\n    topic: totals-2', verdict: 'goes on', topic: 'totals-2' },
  { what: 'two sinks that swap their names', from: /  totals:([^]*)  big:/, to: '  big:\n    topic: totals$1  totals:\n    topic: big', verdict: 'goes on' },
  { what: 'one more sink', from: 'sinks:\n', to: 'sinks:\n  all:\n    sql: SELECT account FROM events\n', verdict: 'goes on' },
  { what: 'WHERE of a sink without state', from: 'amount > 100', to: 'amount > 200', verdict: 'goes on', big: 'SELECT account, amount FROM events WHERE amount > 200' },
  { what: 'a sink without state dropped', from: /  big:\n.*\n/, to: '', verdict: 'goes on', big: 'SELECT 1 FROM events WHERE FALSE' },
  // the meaning changes
  { what: 'window 10 s to 20 s', from: "INTERVAL '10'", to: "INTERVAL '20'", verdict: 'refused', truth: totals(ALL, { size: 20_000 }), size: 20_000 },
  { what: 'TUMBLE to HOP', from: "TUMBLE(ts, INTERVAL '10' SECOND)", to: "HOP(ts, INTERVAL '5' SECOND, INTERVAL '10' SECOND)", verdict: 'refused',
    truth: `SELECT account, type, SUM(amount) AS total, COUNT(*) AS n, s AS window_start FROM (SELECT *, at / 5000 * 5000 AS s FROM events UNION ALL SELECT *, at / 5000 * 5000 - 5000 AS s FROM events) WHERE ${WHERE} GROUP BY 1, 2, 5 HAVING SUM(amount) > 1` },
  { what: 'no window', from: /, window_start\n([^]*), TUMBLE\(ts, INTERVAL '10' SECOND\)/, to: '\n$1', verdict: 'refused', truth: totals(ALL, { size: 0 }) },
  { what: 'another filter', from: "<> 'test'", to: "<> 'trial'", verdict: 'refused', truth: totals(ALL, { where: "type <> 'trial' AND grade < 5" }) },
  { what: 'another constant in the filter', from: 'grade < 5', to: 'grade < 4', verdict: 'refused', truth: totals(ALL, { where: "type <> 'test' AND grade < 4" }) },
  { what: 'the filter dropped', from: "      WHERE type <> 'test' AND grade < 5\n", to: '', verdict: 'refused', truth: totals(ALL, { where: '' }) },
  { what: 'one more filter', from: 'grade < 5\n', to: 'grade < 5 AND amount < 50\n', verdict: 'refused', truth: totals(ALL, { where: `${WHERE} AND amount < 50` }) },
  { what: 'another group key', from: /SELECT account([^]*)GROUP BY account/, to: 'SELECT UPPER(note) AS account$1GROUP BY UPPER(note)', verdict: 'refused', truth: totals("'N' || account AS account, type, SUM(amount) AS total, COUNT(*) AS n") },
  { what: 'one more group key', from: 'GROUP BY account, type', to: 'GROUP BY account, type, grade', verdict: 'refused', truth: totals(ALL, { group: 'account, type, grade' }) },
  { what: 'a group key less', from: /account, type, SUM([^]*)GROUP BY account, type/, to: 'account, SUM$1GROUP BY account', verdict: 'refused', truth: totals('account, SUM(amount) AS total, COUNT(*) AS n', { group: 'account' }) },
  { what: 'another aggregate', from: 'COUNT(*) AS n', to: 'MAX(amount) AS n', verdict: 'refused', truth: totals('account, type, SUM(amount) AS total, MAX(amount) AS n') },
  { what: 'one more aggregate', from: 'COUNT(*) AS n', to: 'COUNT(*) AS n, MIN(amount) AS least', verdict: 'refused', truth: totals(`${ALL}, MIN(amount) AS least`) },
  { what: 'another argument', from: /SUM\(amount\)/g, to: 'SUM(amount * 2)', verdict: 'refused', truth: totals('account, type, SUM(amount * 2) AS total, COUNT(*) AS n', { having: 'HAVING SUM(amount * 2) > 1' }) },
  { what: 'a CASE in the argument', from: /SUM\(amount\)/g, to: "SUM(CASE WHEN type = 'b' THEN -amount ELSE amount END)", verdict: 'refused', truth: totals("account, type, SUM(CASE WHEN type = 'b' THEN -amount ELSE amount END) AS total, COUNT(*) AS n", { having: "HAVING SUM(CASE WHEN type = 'b' THEN -amount ELSE amount END) > 1" }) },
  { what: 'FILTER', from: 'COUNT(*) AS', to: "COUNT(*) FILTER (WHERE grade < 3) AS", verdict: 'refused', truth: totals('account, type, SUM(amount) AS total, COUNT(*) FILTER (WHERE grade < 3) AS n') },
  { what: 'DISTINCT', from: 'COUNT(*) AS', to: 'COUNT(DISTINCT grade) AS', verdict: 'refused', truth: totals('account, type, SUM(amount) AS total, COUNT(DISTINCT grade) AS n') },
  { what: 'the type of the key', from: 'account STRING', to: 'account BIGINT', verdict: 'refused', truth: totals('CAST(account AS INTEGER) AS account, type, SUM(amount) AS total, COUNT(*) AS n'), big: 'SELECT CAST(account AS INTEGER) AS account, amount FROM events WHERE amount > 100' },
  { what: 'the scale of the sum', from: 'DECIMAL(12,2)', to: 'DECIMAL(12,3)', verdict: 'refused' },
  { what: 'the type of a column that only the filter reads', from: 'DECIMAL(4,1)', to: 'DECIMAL(4,0)', verdict: 'refused', truth: totals(ALL, { where: "type <> 'test' AND ROUND(grade) < 5" }) },
  { what: 'NOT NULL on a column that is read', from: 'grade DECIMAL(4,1)', to: 'grade DECIMAL(4,1) NOT NULL', verdict: 'refused' },
  { what: 'event time from another column', from: 'at BIGINT, note STRING\n    event_time: {from: at', to: 'later BIGINT, note STRING\n    event_time: {from: later', verdict: 'refused' },
  { what: 'another unit of event time', from: 'unit: ms', to: 'unit: s', verdict: 'refused', truth: `SELECT account, type, SUM(amount) AS total, COUNT(*) AS n, at * 1000 AS window_start FROM events WHERE ${WHERE} GROUP BY 1, 2, 5 HAVING SUM(amount) > 1` },
  { what: 'another topic', from: '    schema: account', to: '    topic: others\n    schema: account', verdict: 'refused', truth: totals(ALL, { from: 'others' }), big: 'SELECT account, amount FROM others WHERE amount > 100' },
  { what: 'a source with another name and topic', from: /events/g, to: 'others', verdict: 'refused', truth: totals(ALL, { from: 'others' }), big: 'SELECT account, amount FROM others WHERE amount > 100' },
  { what: 'a sink with open windows dropped', from: /  totals:([^]*)  big:/, to: '  big:', verdict: 'refused', truth: 'SELECT 1 AS window_start FROM events WHERE FALSE' },
];
