import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/args.ts';
import { loadCompiled } from '../../src/cli/load-compiled.ts';
import * as renderer from '../../src/cli/render-error.ts';
import { report } from '../../src/cli/report.ts';
import { validate } from '../../src/cli/validate.ts';
import { fakeIo } from '../cli/fake-io.ts';

const dir = mkdtempSync(join(tmpdir(), 'pipe-errors-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const RIGHT = `name: fraud
sources:
  transactions:
    schema: account BIGINT, amount DECIMAL(12,2), timestamp STRING, type STRING
    event_time: {from: timestamp, unit: s, delay: 5s}
sinks:
  fraud-alerts:
    key: account
    sql: |
      SELECT account, SUM(amount) AS total
      FROM transactions
      GROUP BY account, TUMBLE(ts, INTERVAL '1' MINUTE)
      HAVING SUM(amount) > 5000.0
`;
beforeEach(() => writeFileSync(join(dir, 'fraud.yaml'), RIGHT));

/** Exit code and stderr of `pipe validate`. */
async function validated(args: readonly string[]): Promise<string> {
  const io = fakeIo({ cwd: dir });
  const exit = await validate.run(parseCommandLine(validate, args), io);
  return `${exit}\n${io.out.text}${io.err.text}`;
}

/** The right file with one piece replaced. */
async function changed(...pairs: readonly (readonly [piece: string, by: string])[]): Promise<string> {
  let text = RIGHT;
  for (const [piece, by] of pairs) {
    expect(text).toContain(piece);
    text = text.replace(piece, by);
  }
  writeFileSync(join(dir, 'fraud.yaml'), text);
  return validated(['fraud.yaml']);
}

describe('what a person sees', () => {
  it('when all is well', async () => {
    expect(await validated(['fraud.yaml'])).toBe('0\nok  fraud.yaml: fraud, 1 source (transactions), 1 sink (fraud-alerts)\n');
  });

  it('an unknown key', async () => {
    expect(await changed(['delay', 'dely'])).toBe(`3
fraud.yaml:5:44 error[user.config.unknown_key]: unknown key "dely"
      4 |     schema: account BIGINT, amount DECIMAL(12,2), timestamp STRING, type STRING
  >   5 |     event_time: {from: timestamp, unit: s, dely: 5s}
        |                                            ^^^^ not a key of event_time
      6 | sinks:
  hint: did you mean "delay"?
`);
  });

  it('one misspelt key as one problem', async () => {
    for (const [key, by] of [['sources:', 'source:'], ['sinks:', 'sink:'], ['    schema:', '    shema:'], ['    sql:', '    sqll:']] as const) {
      const text = await changed([key, by]);
      expect(text.match(/error\[/g)).toHaveLength(1);
      expect(text).toContain(`did you mean "${key.trim().replace(':', '')}"?`);
      writeFileSync(join(dir, 'fraud.yaml'), RIGHT);
    }
  });

  it('what a file looks like, when it is a list', async () => {
    writeFileSync(join(dir, 'list.yaml'), '- name: x\n');
    const text = await validated(['list.yaml']);
    expect(text).toContain('error[user.config.bad_type]: a pipeline file is a map, not a list');
    const example = text.slice(text.indexOf('    name: large-orders'));
    writeFileSync(join(dir, 'list.yaml'), example);
    expect(await validated(['list.yaml'])).toMatch(/^0\nok /);
    rmSync(join(dir, 'list.yaml'));
  });

  it('an unknown column', async () => {
    expect(await changed(['SUM(amount) AS', 'SUM(amuont) AS'])).toBe(`3
fraud.yaml:10:27 error[user.sql.unknown_column]: column "amuont" does not exist in "transactions"
      9 |     sql: |
  >  10 |       SELECT account, SUM(amuont) AS total
        |                           ^^^^^^ no such column
     11 |       FROM transactions
  hint: did you mean "amount"? columns: account BIGINT, amount DECIMAL(12,2), timestamp STRING, type STRING, ts TIMESTAMP_LTZ(3), window_start TIMESTAMP(3), window_end TIMESTAMP(3), window_time TIMESTAMP_LTZ(3)
`);
  });

  it('the name of an event time that is a column of the source', async () => {
    const text = await changed(['timestamp STRING', 'timestamp TIMESTAMP(3)'], [', unit: s', '']);
    expect(text).toContain('column "ts" does not exist');
    expect(text).toContain('hint: its event time is timestamp; columns: account BIGINT');
  });

  it('a mistake in the syntax', async () => {
    expect(await changed(['FROM transactions', 'FORM transactions'])).toBe(`3
fraud.yaml:11:7 error[user.sql.syntax]: unexpected "FORM"
     10 |       SELECT account, SUM(amount) AS total
  >  11 |       FORM transactions
        |       ^^^^
     12 |       GROUP BY account, TUMBLE(ts, INTERVAL '1' MINUTE)
  hint: did you mean "FROM"?
`);
  });

  it('types that do not meet', async () => {
    expect(await changed(['> 5000.0', "> type || 'x'"], ['HAVING SUM(amount)', 'HAVING MAX(account)'])).toBe(`3
fraud.yaml:13:14 error[user.sql.type]: > cannot compare BIGINT with STRING; write CAST(.. AS ..) around one of them
     12 |       GROUP BY account, TUMBLE(ts, INTERVAL '1' MINUTE)
  >  13 |       HAVING MAX(account) > type || 'x'
        |              ^^^^^^^^^^^^^^^^^^^^^^^^^^
`);
  });

  it('an argument of another type than is expected, with the type', async () => {
    expect(await changed(['SUM(amount) AS', 'AVG(type) AS'])).toContain('error[user.sql.type]: AVG expects (number), not (STRING)\n');
  });

  it('HOP with its sizes in the other order', async () => {
    const text = await changed(["TUMBLE(ts, INTERVAL '1' MINUTE)", "HOP(ts, INTERVAL '10' SECOND, INTERVAL '5' SECOND)"]);
    expect(text).toContain('error[user.sql.window]: HOP: the size must be a multiple of the slide\n');
    expect(text).toContain('hint: the order is HOP(ts, slide, size): slide first, then size\n');
  });

  it('TUMBLE without event time', async () => {
    expect(await changed(['    event_time: {from: timestamp, unit: s, delay: 5s}\n', ''])).toBe(`3
fraud.yaml:11:32 error[user.sql.no_event_time]: TUMBLE needs event time, but "transactions" has none
     10 |       FROM transactions
  >  11 |       GROUP BY account, TUMBLE(ts, INTERVAL '1' MINUTE)
        |                                ^^ no such column, and no event_time that would make it
     12 |       HAVING SUM(amount) > 5000.0
  hint: add to the source:  event_time: {from: timestamp, unit: s, delay: 5s}
`);
  });

  it('two sinks on one topic', async () => {
    expect(await changed(['sinks:\n', 'sinks:\n  copy: {from: transactions, topic: fraud-alerts}\n'])).toBe(`3
fraud.yaml:8:3 error[user.config.sink_topic_twice]: sinks "copy" and "fraud-alerts" both write topic "fraud-alerts"
      7 |   copy: {from: transactions, topic: fraud-alerts}
  >   8 |   fraud-alerts:
        |   ^^^^^^^^^^^^
      9 |     key: account
  hint: give each sink a topic of its own
`);
  });

  it('a variable that is not set', async () => {
    expect(await changed(['    schema:', '    topic: ${TOPIC}\n    schema:'])).toBe(`3
fraud.yaml:4:12 error[user.config.unset_variable]: variable TOPIC is not set
      3 |   transactions:
  >   4 |     topic: \${TOPIC}
        |            ^^^^^^^^ not set
      5 |     schema: account BIGINT, amount DECIMAL(12,2), timestamp STRING, type STRING
  hint: set it, put TOPIC=... into .env beside the file, or write \${TOPIC:-default}
`);
  });

  it('a file that is not there', async () => {
    expect(await validated(['frud.yaml'])).toBe(`3
error[user.config.file_missing]: there is no pipeline "frud.yaml"; looked for frud.yaml, pipelines/frud.yaml
  hint: did you mean "fraud.yaml"?
`);
  });

  it('no name of a file', async () => {
    expect(await validated([])).toBe(`2
error[user.usage.missing_argument]: no pipeline is named
  hint: give the path of a pipeline file
`);
  });

  it('all problems of the file at once, of its keys and of its SQL', async () => {
    expect(await changed(['delay', 'dely'], ['SUM(amount) AS', 'SUM(amuont) AS'], ['key: account', 'key: acount'])).toBe(`3
fraud.yaml:5:44 error[user.config.unknown_key]: unknown key "dely"
      4 |     schema: account BIGINT, amount DECIMAL(12,2), timestamp STRING, type STRING
  >   5 |     event_time: {from: timestamp, unit: s, dely: 5s}
        |                                            ^^^^ not a key of event_time
      6 | sinks:
  hint: did you mean "delay"?

fraud.yaml:8:10 error[user.sql.unknown_column]: key column "acount" is not in the output
      7 |   fraud-alerts:
  >   8 |     key: acount
        |          ^^^^^^ no such column
      9 |     sql: |
  hint: did you mean "account"?

fraud.yaml:10:27 error[user.sql.unknown_column]: column "amuont" does not exist in "transactions"
      9 |     sql: |
  >  10 |       SELECT account, SUM(amuont) AS total
        |                           ^^^^^^ no such column
     11 |       FROM transactions
  hint: did you mean "amount"? columns: account BIGINT, amount DECIMAL(12,2), timestamp STRING, type STRING, ts TIMESTAMP_LTZ(3), window_start TIMESTAMP(3), window_end TIMESTAMP(3), window_time TIMESTAMP_LTZ(3)
`);
  });

  it('a file of one line that is not YAML', async () => {
    writeFileSync(join(dir, 'fraud.yaml'), 'name: [a');
    expect(await validated(['fraud.yaml'])).toBe(`3
fraud.yaml:1:9 error[user.config.yaml]: "[" is not closed
  >   1 | name: [a
        |         ^ "]" is missing
  hint: what it holds is indented deeper than its key
`);
  });

  it('a pipeline that has the name of another', async () => {
    writeFileSync(join(dir, 'z.yaml'), RIGHT);
    const text = await validated(['.']);
    rmSync(join(dir, 'z.yaml'));
    expect(text).toBe(`3
ok  fraud.yaml: fraud, 1 source (transactions), 1 sink (fraud-alerts)
z.yaml:1:7 error[user.config.duplicate]: pipeline "fraud" is the name in fraud.yaml too
  >   1 | name: fraud
        |       ^^^^^
      2 | sources:
  hint: state goes by the name: give each pipeline its own
`);
  });

  it('an aggregate over a grouping without a window, of a step', async () => {
    expect(await changed(['sinks:', 'steps:\n  each: SELECT account, SUM(amount) AS total FROM transactions GROUP BY account\nsinks:'], ['SELECT account, SUM(amount) AS total\n', 'SELECT account, SUM(total) AS total\n'],
      ['FROM transactions\n      GROUP BY account, TUMBLE(ts, INTERVAL \'1\' MINUTE)\n      HAVING SUM(amount) > 5000.0', 'FROM each\n      GROUP BY account'])).toBe(`3
fraud.yaml:12:23 error[user.sql.unsupported]: not supported yet: SUM(total) over a grouping without a window, that of "each"
     11 |     sql: |
  >  12 |       SELECT account, SUM(total) AS total
        |                       ^^^^^^^^^^ groups come again at each end of the input, and would be counted again
     13 |       FROM each
  hint: give the inner GROUP BY a window, such as TUMBLE(ts, INTERVAL '1' DAY), or write one grouping, such as COUNT(DISTINCT account) for the number of groups
`);
  });

  it('an aggregate without a window while following', async () => {
    writeFileSync(join(dir, 'fraud.yaml'), RIGHT.replace(", TUMBLE(ts, INTERVAL '1' MINUTE)", ''));
    const [compiled] = await loadCompiled(parseCommandLine(validate, ['fraud.yaml']), fakeIo({ cwd: dir }));
    expect(renderer.renderProblems(compiled?.unbounded ?? [], { color: false })).toBe(`fraud.yaml:10:7 error[user.sql.unbounded_aggregate]: this aggregate has no window, so while following it is never final
      9 |     sql: |
  >  10 |       SELECT account, SUM(amount) AS total
        |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     11 |       FROM transactions
  hint: add a window such as GROUP BY .., TUMBLE(ts, INTERVAL '1' MINUTE), or run it with --until-end
`);
    expect(compiled?.unbounded.map(p => p.exit)).toEqual([3]);
  });
});

describe('what a program sees', () => {
  it('one object a line on stdout of validate', async () => {
    writeFileSync(join(dir, 'fraud.yaml'), RIGHT.replace('delay', 'dely'));
    expect(await validated(['fraud.yaml', '--json'])).toBe('3\n{"code":"user.config.unknown_key","severity":"error","file":"fraud.yaml","line":5,"col":44,"endCol":48,"message":"unknown key \\"dely\\"","hint":"did you mean \\"delay\\"?"}\n');
    expect(await validated(['frud.yaml', '--json'])).toBe('3\n{"code":"user.config.file_missing","severity":"error","file":null,"line":null,"col":null,"endCol":null,"message":"there is no pipeline \\"frud.yaml\\"; looked for frud.yaml, pipelines/frud.yaml","hint":"did you mean \\"fraud.yaml\\"?"}\n');
  });

  it('the same from other commands, on stderr', async () => {
    writeFileSync(join(dir, 'fraud.yaml'), RIGHT.replace('delay', 'dely'));
    const io = fakeIo({ cwd: dir });
    const options = { json: true, logs: false, debug: false, color: undefined, dataDir: undefined, argv: [], version: '0' };
    const exit = await loadCompiled(parseCommandLine(validate, ['fraud.yaml']), io).then(() => 0, (error: unknown) => report(error, io, options, renderer));
    expect([exit, io.out.text, (JSON.parse(io.err.text) as { code: string }).code]).toEqual([3, '', 'user.config.unknown_key']);
  });
});
