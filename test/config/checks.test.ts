import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPipeline } from '../../src/config/load.ts';
import { NumberText } from '../../src/config/test-value.ts';
import { Folder, describeProblem, pipeline, problemsOf } from './support.ts';

const folder = new Folder();
const one = (parts: Parameters<typeof pipeline>[0]): string[] => folder.problems(pipeline(parts));
const source = (text: string): string[] => one({ source: text });
const sink = (text: string): string[] => one({ sink: text });
const settings = (text: string): string[] => one({ rest: `settings: {${text}}\n` });

describe('a right file', () => {
  it('has defaults filled in', () => {
    const spec = folder.load(pipeline());
    expect(spec).toMatchObject({
      name: 'p', description: null, dir: folder.dir, path: join(folder.dir, 'p.yaml'), steps: [], tests: [],
      sources: [{
        name: 't', topic: 't', format: 'json', key: null, start: 'earliest', sample: null, create: null, onError: null, onDataLoss: 'stop',
        eventTime: { from: 'timestamp', unit: 's', as: 'ts', delay: 5_000, idle: 10_000, maxFuture: 3_600_000 },
      }],
      sinks: [{ name: 'out', topic: 'out', format: { type: 'json', timestamps: 'epoch_ms', decimals: 'number' }, key: [], emit: 'final', emitSpan: null, create: null, from: null, onError: null }],
      settings: { kafka: { brokers: null, idPrefix: '', client: {} }, state: null, timeZone: 'UTC', checkpoint: 200, delivery: 'exactly-once', memory: null, workers: null, maxBad: null, maxRecordBytes: 1_048_576 },
    });
  });

  it('has every key', () => {
    folder.write('data/s.jsonl', '{}\n');
    const spec = folder.load(`name: all-of-it
description: text
sources:
  a:
    topic: in.a
    format: json
    schema: {id: BIGINT not null, "my time": 'TIMESTAMP(3)', amount: "DECIMAL(12, 2)"}
    key: id
    event_time: {from: my time, delay: 0s, idle: 1m, max_future: 1d}
    start: latest
    sample: data/s.jsonl
    create: {partitions: 6, retention: 7d, config: {cleanup.policy: compact, x: 1.50, y: true}}
    on_error: {topic: in.failed}
    on_data_loss: earliest
steps:
  s: |
    SELECT id FROM a
sinks:
  b: {topic: out.b, format: {type: json, timestamps: iso, decimals: string}, key: [id, amount], emit: changes, create: true, sql: "SELECT id, amount FROM a", on_error: stop}
  c: {from: s, key: id, on_error: skip}
settings:
  kafka: {brokers: ["h1:9092", "h2"], id_prefix: team-, client_id: me, ssl: {ca: pem, reject_unauthorized: false}, sasl: {mechanism: SCRAM-SHA-256, username: u, password: p}}
  state: states
  time_zone: UTC
  checkpoint: 1s
  delivery: at-least-once
  memory: 1GB
  workers: 2
  max_bad: 2.5%
  max_record_bytes: 64KB
tests:
  - {name: x, input: {a: [{id: 1, amount: 7500.00, n: null, l: [1.0, {y: 1e3}], s: "1"}]}, expect: {b: [{id: 2, amount: 7500.00}], c: []}}
`);
    expect(spec).toMatchObject({
      sources: [{
        topic: 'in.a', key: 'id', start: 'latest', sample: join(folder.dir, 'data/s.jsonl'), onError: { topic: 'in.failed' }, onDataLoss: 'earliest',
        columns: [
          { field: { name: 'id', type: { k: 'bigint' }, nullable: false }, required: true }, { field: { name: 'my time', type: { k: 'timestamp', p: 3 }, nullable: true }, required: false },
          { field: { name: 'amount', type: { k: 'decimal', p: 12, s: 2 } } },
        ],
        eventTime: { from: 'my time', unit: null, as: 'my time', delay: 0, idle: 60_000, maxFuture: 86_400_000 },
        create: { partitions: 6, retention: 604_800_000, config: { 'cleanup.policy': 'compact', x: '1.50', y: 'true' } },
      }],
      steps: [{ name: 's', sql: { text: 'SELECT id FROM a\n' } }],
      sinks: [
        { topic: 'out.b', format: { type: 'json', timestamps: 'iso', decimals: 'string' }, key: [{ name: 'id' }, { name: 'amount' }], emit: 'changes', create: { partitions: null, retention: null, config: {} }, onError: 'stop' },
        { topic: 'c', sql: null, from: { name: 's' }, onError: 'skip' },
      ],
      settings: {
        kafka: { brokers: ['h1:9092', 'h2:9092'], idPrefix: 'team-', client: { client_id: 'me', ssl: { ca: 'pem', reject_unauthorized: false }, sasl: { mechanism: 'SCRAM-SHA-256', username: 'u', password: 'p' } } },
        state: join(folder.dir, 'states'), checkpoint: 1_000, delivery: 'at-least-once', memory: 2 ** 30, workers: 2, maxBad: 0.025, maxRecordBytes: 65_536,
      },
    });
    const [test] = spec.tests;
    expect(test).toMatchObject({ name: 'x', steps: [], ordered: false, partitions: 1, now: null, error: null });
    expect([...(test?.expect.rows ?? [])].map(([sink, { rows }]) => [sink, rows.map(r => r.value)])).toEqual([['b', [{ id: new NumberText('2'), amount: new NumberText('7500.00') }]], ['c', []]]);
    expect(test?.input).toEqual([{ k: 'send', source: 'a', values: ['{"id":1,"amount":7500.00,"n":null,"l":[1.0,{"y":1e3}],"s":"1"}'], key: null, partition: null, headers: {}, time: null }]);
  });
});

describe('the file', () => {
  it('that is gone, a folder, too large or no text is said', () => {
    folder.write('fraud.yaml', pipeline());
    const at = (name: string): string[] => problemsOf(() => loadPipeline(join(folder.dir, name), { env: {}, root: folder.dir })).map(p => `${p.code} ${p.message.replace(folder.dir, 'DIR')} ${p.hint?.replace(folder.dir, 'DIR')}`);
    expect(at('frod.yaml')).toEqual(['user.config.file_missing there is no file DIR/frod.yaml did you mean "DIR/fraud.yaml"?']);
    expect(at('fraud.yaml/x')).toEqual(['user.config.file_missing there is no file DIR/fraud.yaml/x undefined']);
    expect(at('.')).toEqual(['user.config.file_missing DIR is a folder, not a pipeline file undefined']);
    folder.write('big.yaml', `# ${'x'.repeat(1 << 20)}\n`);
    expect(at('big.yaml')).toEqual(['user.config.too_large big.yaml has 1048579 bytes; a pipeline file has at most 1048576 undefined']);
    folder.write('latin.yaml', Buffer.from([0x61, 0x3a, 0x20, 0xe9]));
    expect(at('latin.yaml')).toEqual(['user.config.yaml latin.yaml is not UTF-8 text save it as UTF-8']);
  });

  it('that is no UTF-8 has a place', () => {
    const place = (bytes: Buffer): unknown => {
      const [p] = problemsOf(() => loadPipeline(folder.write('latin.yaml', bytes), { env: {}, root: folder.dir }));
      return p?.span?.source.position(p.span.start);
    };
    const latin = Buffer.from([0xe9]);
    expect(place(latin)).toEqual({ line: 1, col: 1 });
    expect(place(Buffer.concat([Buffer.from('name: \ufffd p\n# \u00e9 \ufffd\u{1f600} '), latin, Buffer.from(' \ufffd\n')]))).toEqual({ line: 2, col: 9 });
    expect(place(Buffer.concat([Buffer.from('\ufeffa: '), Buffer.from([0xe2, 0x82])]))).toEqual({ line: 1, col: 5 });
  });

  it.each([
    ['[]', ['config.bad_type 1:1 <[]> a pipeline file is a map, not a list']],
    ['text', ['config.bad_type 1:1 <text> a pipeline file is a map, not "text"']],
    ['name: x\n', ['config.missing_key 1:1 <n> a pipeline file has no "sources"', 'config.missing_key 1:1 <n> a pipeline file has no "sinks"']],
    ['nam: x\nsources: {}\nsinks:\n', [
      'config.unknown_key 1:1 <nam> unknown key "nam"', 'config.bad_value 2:10 <{}> "sources" is empty', 'config.bad_type 3:1 <sinks> "sinks" has no value',
    ]],
    ['name: Fraud_1\nsources: {a: }\nsinks: {b: [1]}\n', ['config.bad_value 1:7 <Fraud_1> "name" cannot be "Fraud_1"', 'config.bad_type 2:11 <a> source "a" has no value', 'config.bad_type 3:12 <[1]> sink "b" takes a map, not a list']],
  ])('%j', (text, problems) => { expect(folder.problems(text)).toEqual(problems); });

  it('gives all its problems at once, in order, those of SQL columns too', () => {
    expect(folder.problems('nme: 1\nsources:\n  t: {schema: "a STRNG, b INT, b INT", event_time: {from: c, delay: 5}, strat: x}\nsinks:\n  o: {sql: "SELECT 1", topic: t, emit: all}\nsettings: {checkpoint: 0ms}\n')).toEqual([
      'config.unknown_key 1:1 <nme> unknown key "nme"', 'sql.type 3:18 <STRNG> there is no type STRNG', 'config.duplicate 3:32 <b> column "b" stands here a second time',
      'config.bad_type 3:69 <5> "delay" takes a duration such as 500ms, 10s, 5m, 1h, 1d, not 5', 'config.unknown_key 3:73 <strat> unknown key "strat"', 'config.sink_topic_twice 5:31 <t> sink "o" writes topic "t", which source "t" reads',
      'config.bad_value 5:40 <all> "emit" is one of final, changes, not "all"', 'config.bad_value 6:24 <0ms> "checkpoint" is at least 1 ms, not "0ms"',
    ]);
  });
});

describe('sources', () => {
  it.each([
    ['topic: x', ['config.missing_key 3:3 <t> source "t" has no "schema"']],
    ['schema: a', ['sql.syntax 4:13 <a> column "a" has no type']],
    ['schema: a INT b INT', ['sql.syntax 4:19 <b> expected "," or the end, found "b"']],
    ['schema: |\n  a INT,\n  b DECIML(3)', ['sql.type 6:9 <DECIML(3)> there is no type DECIML']],
    ['schema: {a: INT, b: ARRAY<INT>}', ['sql.unsupported 4:25 <ARRAY<INT>> not supported yet: the type ARRAY<INT>']],
    ['schema: {a: INT, b: INT NOT NUL}', ['sql.syntax 4:29 <NOT> expected "," or the end, found "NOT"']],
    ['schema: {a: "INT, b INT"}', ['config.schema 4:23 <b> column "a" has one type']],
    ['schema: {a: DECIMAL(12,2)}', ['config.schema 4:17 <DECIMAL(12> the type of column "a" ends in its brackets']],
    ['schema: {a: }', ['config.bad_type 4:14 <a> "a" has no value']],
    ['schema: {}', ['config.bad_value 4:13 <{}> "schema" is empty']],
    ['schema: [a]', ['config.bad_value 4:13 <[a]> "schema" cannot be a list']],
    ['schema: ""', ['config.bad_value 4:13 <""> "schema" must not be empty']],
    ['schema: a INT, a INT', ['config.duplicate 4:20 <a> column "a" stands here a second time']],
    ['schema: a INT\nkey: b', ['config.unknown_name 5:10 <b> key column "b" is not in the schema']],
    ['schema: a INT\ntopic: a b', ['config.bad_value 5:12 <a b> "a b" is no name for a topic']],
    ['schema: a INT\ntopic: ..', ['config.bad_value 5:12 <..> ".." is no name for a topic']],
    ['schema: a INT\non_error: {topic: "a/b"}', ['config.bad_value 5:23 <"a/b"> "a/b" is no name for a topic']],
    ['schema: a INT\non_error: stopp', ['config.bad_value 5:15 <stopp> "on_error" cannot be "stopp"']],
    ['schema: a INT\non_error: {topik: a}', ['config.unknown_key 5:16 <topik> unknown key "topik"']],
    ['schema: a INT\non_error: {topic: t}', ['config.sink_topic_twice 3:3 <t> failed records of "t" would go to topic "t", which source "t" reads']],
    ['schema: a INT\non_error: {topic: out}', ['config.sink_topic_twice 3:3 <t> failed records of "t" would go to topic "out", which sink "out" writes']],
    ['schema: a INT\nformat: csv', ['config.bad_value 5:13 <csv> not supported yet: format csv']],
    ['schema: a INT\nformat: {type: jsn}', ['config.bad_value 5:20 <jsn> there is no format "jsn"']],
    ['schema: a INT\nformat: {type: json, timestamps: iso}', ['config.unknown_key 5:26 <timestamps> unknown key "timestamps"']],
    ['schema: a INT\ncreate: {}', ['config.bad_value 5:13 <{}> "create" is empty']],
    ['schema: a INT\ncreate: false', ['config.bad_value 5:13 <false> "create" cannot be false']],
    ['schema: a INT\ncreate: {partitions: 0}', ['config.bad_value 5:26 <0> "partitions" is at least 1, not 0']],
    ['schema: a INT\ncreate: {partitions: 1.5}', ['config.bad_type 5:26 <1.5> "partitions" takes a whole number, not 1.5']],
    ['schema: a INT\ncreate: {config: {a: [1]}}', ['config.bad_value 5:26 <[1]> "a" cannot be a list']],
    ['schema: a INT\nsample: ../x', ['config.path 5:13 <../x> "../x" leads out of the project']],
    ['schema: a INT\nsample: /etc/passwd', ['config.path 5:13 </etc/passwd> "/etc/passwd" leads out of the project']],
    ['schema: a INT\nstart: 2024-01-01', ['config.bad_value 5:12 <2024-01-01> "start" is one of earliest, latest, not "2024-01-01"']],
  ])('%j', (text, problems) => { expect(source(text)).toEqual(problems); });

  it('hint at the column that was meant', () => {
    const { problems } = folder.read(pipeline({ source: 'schema: account STRING, timestamp STRING\nkey: acount\nevent_time: {from: timestmp, unit: s}' }));
    expect(problems.map(p => [p.code, p.hint])).toEqual([['user.config.unknown_name', 'did you mean "account"?'], ['user.config.event_time', 'did you mean "timestamp"?']]);
  });

  it('do not follow a link out of the project', () => {
    symlinkSync('/etc', join(folder.dir, 'link'));
    expect(source('schema: a INT\nsample: link/passwd')).toEqual(['config.path 5:13 <link/passwd> "link/passwd" leads out of the project']);
  });

  it('warn of a sample that is not there', () => {
    const loaded = folder.read(pipeline({ source: 'schema: account INT\nsample: data/x.jsonl' }));
    expect([loaded.problems, loaded.warnings.map(describeProblem)]).toEqual([[], ['config.path 5:13 <data/x.jsonl> there is no file "data/x.jsonl"']]);
  });
});

describe('event time', () => {
  const time = (columns: string, eventTime: string): string[] => source(`schema: ${columns}\nevent_time: {${eventTime}}`);
  it.each([
    ['a INT', 'unit: s', ['config.missing_key 5:5 <event_time> "event_time" has no "from"']],
    ['a INT', 'from: b, unit: s', ['config.event_time 5:24 <b> event_time.from: there is no column "b"']],
    ['a STRING', 'from: a', ['config.event_time 5:24 <a> column "a" is STRING: event_time has to say how it holds time']],
    ['a BIGINT', 'from: a, unit: iso', ['config.event_time 5:33 <iso> column "a" is BIGINT, so its unit is not iso']],
    ['a BOOLEAN', 'from: a, unit: s', ['config.event_time 5:24 <a> column "a" is BOOLEAN, which holds no point in time']],
    ['a DATE', 'from: a, unit: s', ['config.event_time 5:24 <a> column "a" is DATE, which holds no point in time']],
    ['a STRING', 'from: a, unit: sec', ['config.bad_value 5:33 <sec> "unit" is one of s, ms, us, iso, not "sec"']],
    ['a TIMESTAMP(3)', 'from: a, unit: s, as: ts', [
      'config.event_time 5:33 <s> column "a" is a TIMESTAMP, so it is the time column itself and takes no "unit"', 'config.event_time 5:40 <ts> column "a" is a TIMESTAMP, so it is the time column itself and takes no "as"',
    ]],
    ['a INT, b INT', 'from: a, unit: s, as: b', ['config.event_time 5:40 <b> the time column would be named "b", as a column of the schema is']],
    ['a INT, ts INT', 'from: a, unit: s', ['config.event_time 5:24 <a> the time column would be named "ts", as a column of the schema is']],
    ['ts INT', 'from: ts, unit: s', ['config.event_time 5:24 <ts> the time column would be named "ts", as a column of the schema is']],
    ['a INT', 'from: a, unit: s, delay: 5 s', ['config.bad_value 5:43 <5 s> "delay" takes a duration such as 500ms, 10s, 5m, 1h, 1d, not "5 s"']],
    ['a INT', 'from: a, unit: s, idle: 0s', ['config.bad_value 5:42 <0s> "idle" is at least 1 ms, not "0s"']],
    ['a INT', 'from: a, unit: s, max_future: 999999999d', ['config.bad_value 5:48 <999999999d> "max_future" is too long, not "999999999d"']],
  ])('%s: {%s}', (columns, eventTime, problems) => { expect(time(columns, eventTime)).toEqual(problems); });

  it.each(['a TIMESTAMP_LTZ(3)|from: a', 'a STRING|from: a, unit: iso', 'a DECIMAL(20,3)|from: a, unit: s', 'a DOUBLE|from: a, unit: us, as: "my time"'])('%s is right', text => {
    expect(time(...(text.split('|') as [string, string]))).toEqual([]);
  });
});

describe('steps and sinks', () => {
  it.each([
    ['topic: x', ['config.missing_key 7:3 <out> sink "out" has no "sql"']],
    ['sql: SELECT 1\nfrom: t', ['config.bad_value 9:5 <from> sink "out" has both "sql" and "from"']],
    ['from: u', ['config.unknown_name 8:11 <u> "u" is no source and no step']],
    ['sql: >\n  SELECT 1', ['config.yaml 8:10 <>> SQL stands in a | block, not in a > block']],
    ['sql: >-\n  SELECT 1', ['config.yaml 8:10 <>-> SQL stands in a | block, not in a > block']],
    ['sql:', ['config.bad_type 8:5 <sql> "sql" has no value']],
    ['sql: [SELECT]', ['config.bad_type 8:10 <[SELECT]> "sql" takes text, not a list']],
    ['sql: SELECT 1\nkey: []', ['config.bad_value 9:10 <[]> "key" is empty']],
    ['sql: SELECT 1\nkey: [a, b, a]', ['config.duplicate 9:17 <a> key column "a" stands here a second time']],
    ['sql: SELECT 1\nkey: 5', ['config.bad_value 9:10 <5> "key" cannot be 5']],
    ['sql: SELECT 1\nformat: {type: json, timestamps: isoo}', ['config.bad_value 9:38 <isoo> "timestamps" is one of epoch-ms, iso, not "isoo"']],
    ['sql: SELECT 1\ntopic: t', ['config.sink_topic_twice 9:12 <t> sink "out" writes topic "t", which source "t" reads']],
    ['sql: SELECT 1\nschema: a INT', ['config.unknown_key 9:5 <schema> unknown key "schema"']],
  ])('%j', (text, problems) => { expect(sink(text)).toEqual(problems); });

  it('two sinks on one topic', () => {
    expect(sink('sql: SELECT account FROM t\ntopic: same\n').concat(folder.problems(`${pipeline({ sink: 'sql: SELECT 1' })}  same: {sql: SELECT 1, topic: out}\n`))).toEqual(['config.sink_topic_twice 9:32 <out> sinks "out" and "same" both write topic "out"']);
  });

  it('a step with the name of a source, a step that is no text', () => {
    expect(one({ rest: 'steps:\n  t: SELECT 1\n  u: [x]\n' })).toEqual(['config.duplicate 10:3 <t> step "t" has the name of a source', 'config.bad_type 11:6 <[x]> step "u" takes text, not a list']);
  });
});

describe('settings and tests', () => {
  it.each([
    ['checkpoint: 5', ['config.bad_type 9:24 <5> "checkpoint" takes a duration such as 500ms, 10s, 5m, 1h, 1d, not 5']],
    ['memory: 5mb', ['config.bad_value 9:20 <5mb> "memory" takes a size such as 64KB, 256MB, 1GB, not "5mb"']],
    ['memory: 0MB', ['config.bad_value 9:20 <0MB> "memory" is more than "0MB"']],
    ['max_bad: 5', ['config.bad_type 9:21 <5> "max_bad" takes a share such as 5%, not 5']],
    ['max_bad: 101%', ['config.bad_value 9:21 <101%> "max_bad" is at most 100%, not "101%"']],
    ['time_zone: CET', ['config.bad_value 9:23 <CET> "time_zone" is one of UTC, not "CET"']],
    ['state: ..', ['config.path 9:19 <..> ".." leads out of the project']],
    ['workers: atuo', ['config.bad_value 9:21 <atuo> "workers" takes a whole number or auto, not "atuo"']],
    ['workers: 0', ['config.bad_value 9:21 <0> "workers" is at least 1, not 0']],
    ['delivery: exactly_once', ['config.bad_value 9:22 <exactly_once> "delivery" is one of exactly-once, at-least-once, not "exactly_once"']],
    ['kafka: {brokers: []}', ['config.bad_value 9:29 <[]> "brokers" is empty']],
    ['kafka: {brokers: ["h:1", "http://x"]}', ['config.bad_value 9:37 <"http://x"> a broker is host:port, not "http://x"']],
    ['kafka: {broker: x}', ['config.unknown_key 9:20 <broker> unknown key "broker"']],
    ['kafka: {sasl: {mechanism: plane, username: u, password: p}}', ['config.bad_value 9:38 <plane> "mechanism" is one of plain, scram-sha-256, scram-sha-512, not "plane"']],
    ['kafka: {ssl: yes}', ['config.bad_value 9:25 <yes> "ssl" cannot be "yes"']],
  ])('%s', (text, problems) => { expect(settings(text)).toEqual(problems); });

  it('warns of a setting without effect', () => {
    expect(folder.read(pipeline({ rest: 'settings: {state_ttl: 1d}\n' })).warnings.map(p => [p.severity, describeProblem(p)])).toEqual([['warning', 'config.bad_value 9:12 <state_ttl> "state_ttl" has no effect yet: there is no operator that it bounds']]);
  });

  it('tests name sources and sinks', () => {
    expect(one({ rest: 'tests:\n  - {name: a, input: {tt: []}, expect: {ou: []}}\n  - {name: a, input: {t: [1]}, expect: {out: []}, x: 1}\n' })).toEqual([
      'config.unknown_name 10:23 <tt> there is no source "tt"', 'config.unknown_name 10:41 <ou> there is no sink "ou"', 'config.duplicate 11:12 <a> test "a" stands here a second time',
      'config.bad_type 11:27 <1> item 1 of "t" takes a map, not 1', 'config.unknown_key 11:51 <x> unknown key "x"',
    ]);
  });
});

describe('hostile names', () => {
  it.each(['__proto__', 'constructor', 'toString', 'a/b', '~1', '%zz', '100%', "it's"])('%j as a key, a source, a column', name => {
    const q = JSON.stringify(name);
    const problems = folder.problems(`name: p\nsources:\n  ${q}: {schema: {${q}: INT}, topic: x, ${q}: 1}\nsinks:\n  o: {from: ${q}, on_error: ${q}}\n`);
    expect(problems.map(p => p.split(' ')[0])).toEqual(['config.unknown_key', 'config.bad_value']);
  });
});
