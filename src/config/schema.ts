import { formats } from '../formats/index.ts';
import { DURATION, PERCENT, SIZE } from './values.ts';

/** As much of JSON Schema (draft 7) as a pipeline file needs. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly $ref?: string;
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly required?: readonly string[];
  readonly minProperties?: number;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly const?: boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly default?: string | number;
  readonly examples?: readonly string[];
}

const text = (description: string, more: JsonSchema = {}): JsonSchema => ({ type: 'string', description, ...more });
/** Text with something in it. */
const word = (description: string, more: JsonSchema = {}): JsonSchema => text(description, { pattern: '\\S', ...more });
const flag = (description: string): JsonSchema => ({ type: 'boolean', description });
const oneOfWords = (description: string, words: readonly string[], fallback?: string): JsonSchema => ({ description, enum: words, ...(fallback === undefined ? {} : { default: fallback }) });
const object = (description: string, properties: Readonly<Record<string, JsonSchema>>, required: readonly string[] = []): JsonSchema => ({
  type: 'object', description, additionalProperties: false, ...(required.length === 0 ? {} : { required }), properties,
});
const mapOf = (description: string, value: JsonSchema, least = 0): JsonSchema => ({ type: 'object', description, ...(least === 0 ? {} : { minProperties: least }), additionalProperties: value });
const listOf = (description: string, items: JsonSchema, least = 0): JsonSchema => ({ type: 'array', description, ...(least === 0 ? {} : { minItems: least }), items });
const anyOf = (description: string, ...branches: JsonSchema[]): JsonSchema => ({ description, anyOf: branches });
const ref = (name: string): JsonSchema => ({ $ref: `#/definitions/${name}` });
const span = (description: string, fallback?: string): JsonSchema => text(`${description}; a duration such as 500ms, 10s, 5m, 1h, 1d`, { pattern: DURATION, ...(fallback === undefined ? {} : { default: fallback }) });
const bytes = (description: string, fallback?: string): JsonSchema => text(`${description}; a size such as 64KB, 256MB, 1GB`, { pattern: SIZE, ...(fallback === undefined ? {} : { default: fallback }) });

const encoding = (name: string): JsonSchema => oneOfWords(`how the bytes are read: ${name}`, [...formats.names()], 'json');

const sql = word('one SELECT statement; write it in a | block', { examples: ['SELECT account, amount FROM transactions WHERE amount > 100'] });

const create = anyOf('make the topic where it is missing: true, or with how many partitions, how long records stay, and other settings',
  { const: true, description: 'with as many partitions as the first source' },
  { ...object('settings of the new topic', {
    partitions: { type: 'integer', minimum: 1, maximum: 10_000, description: 'number of partitions' },
    retention: span('how long records stay'),
    config: mapOf('topic settings of Kafka, passed on as they are', anyOf('a setting', { type: 'string' }, { type: 'number' }, { type: 'boolean' })),
  }), minProperties: 1 });

const onError = anyOf('what a record or row that fails leads to: dead_letters (a table of the state file), skip (counted), stop, or a topic of its own',
  oneOfWords('dead_letters, skip or stop', ['dead_letters', 'skip', 'stop'], 'dead_letters'),
  object('a topic for what fails', { topic: word('name of that topic') }, ['topic']));

const eventTime = object('when a record happened; needed for windows', {
  from: word('the column with the time'),
  unit: oneOfWords('how the column holds time: s, ms or us since 1970, or iso text; leave it out for a TIMESTAMP column', ['s', 'ms', 'us', 'iso']),
  as: word('name of the time column in SQL; leave it out for a TIMESTAMP column, which is its own time column', { default: 'ts' }),
  delay: span('how late a record may come and still count', '5s'),
  idle: span('when following: how long a partition is quiet before it no longer holds back the others', '10s'),
  max_future: span('how far in the future a time may be before its record is refused', '1h'),
}, ['from']);

const source = object('a topic that is read', {
  topic: word('name of the topic; default: the name of the source'),
  format: anyOf('how values are encoded', encoding('name of the format'), object('the format', { type: encoding('name of the format') }, ['type'])),
  schema: anyOf('the columns; nothing is inferred',
    word('columns as in CREATE TABLE', { examples: ['account STRING, amount DECIMAL(12,2) NOT NULL, timestamp STRING'] }),
    mapOf('columns as name: type', word('a SQL type', { examples: ['STRING', 'BIGINT', 'DECIMAL(12,2)', 'TIMESTAMP(3)', 'BOOLEAN NOT NULL'] }), 1)),
  key: word('the column whose text is the key of the record'),
  event_time: eventTime,
  start: oneOfWords('where a run without state begins', ['earliest', 'latest'], 'earliest'),
  sample: word('file of records, its path relative to this file; fills the topic on the embedded log if the topic is absent, never on Kafka'),
  create,
  on_error: onError,
  on_data_loss: oneOfWords('what to do when retention removed the stored offset: stop, or go on at the earliest record', ['stop', 'earliest'], 'stop'),
}, ['schema']);

const sink: JsonSchema = {
  ...object('a topic that is written', {
    topic: word('name of the topic; default: the name of the sink'),
    format: anyOf('how values are encoded', encoding('name of the format'), object('the format', {
      type: encoding('name of the format'),
      timestamps: oneOfWords('timestamps as epoch milliseconds or as ISO text', ['epoch-ms', 'iso'], 'epoch-ms'),
      decimals: oneOfWords('decimals as JSON numbers or as text', ['number', 'string'], 'number'),
    }, ['type'])),
    key: anyOf('the column whose text becomes the key of the record; several give a JSON array', word('a column'), listOf('several columns', word('a column'), 1)),
    emit: oneOfWords('final: one row per window; changes: every update', ['final', 'changes'], 'final'),
    create,
    sql,
    from: word('a step or source that is written as it is, instead of sql'),
    on_error: onError,
  }),
  oneOf: [{ required: ['sql'] }, { required: ['from'] }],
};

const kafka = object('how to reach Kafka; keep secrets in the environment: ${KAFKA_PASSWORD}', {
  brokers: anyOf('host:port of the brokers to begin with; --brokers and PIPE_BROKERS win over it', word('host:port,host:port'), listOf('a list of host:port', word('host:port'), 1)),
  id_prefix: text('put before the consumer group and transactional id, where two teams share a cluster', { pattern: '^[A-Za-z0-9._-]{0,100}$' }),
  client_id: word('how this client names itself to the brokers'),
  ssl: anyOf('TLS: true, or certificates as PEM text', flag('TLS with the authorities that Node trusts'), object('certificates as PEM text', {
    ca: word('authority that signed the brokers\' certificates'),
    cert: word('certificate of this client'),
    key: word('private key of this client'),
    passphrase: text('of the private key'),
    servername: word('name to expect in the brokers\' certificate'),
    reject_unauthorized: flag('false accepts any certificate; for tests only'),
  })),
  sasl: object('how to sign in', {
    mechanism: word('plain, scram-sha-256 or scram-sha-512', { examples: ['scram-sha-256'] }),
    username: text('user name'),
    password: text('password; write ${KAFKA_PASSWORD}'),
  }, ['mechanism', 'username', 'password']),
});

const settings = object('how the pipeline runs', {
  kafka,
  state: word('folder of the state files, relative to this file; default: state/ in the data folder'),
  time_zone: oneOfWords('zone of times without a zone', ['UTC'], 'UTC'),
  state_ttl: span('how long joins without a window keep rows; no effect yet'),
  checkpoint: span('how often results are made durable', '200ms'),
  delivery: oneOfWords('exactly-once, or at-least-once where duplicates after a crash do no harm', ['exactly-once', 'at-least-once'], 'exactly-once'),
  memory: bytes('memory for state, output and what is being read; state that does not fit goes to disk; what the process itself takes comes on top; default: a quarter of the machine\'s'),
  workers: anyOf('threads that share the work; default: auto', oneOfWords('those of the machine, four at most, while a backlog is large', ['auto'], 'auto'), { type: 'integer', minimum: 1, maximum: 64, description: 'so many from the start; 1: never more' }),
  max_bad: text('stop when more than this share of 1,000 or more records is bad, such as 5%; default: a warning', { pattern: PERCENT }),
  max_record_bytes: bytes('longer records are refused', '1MB'),
});

const count = (description: string): JsonSchema => ({ type: 'integer', minimum: 0, description });

const rows = listOf('records or rows in order', { type: 'object', description: 'fields of one' });

const checks = {
  expect: mapOf('rows by sink, in any order: all that came since the start, or since it was last looked at. A row names the columns that are compared, digit by digit', rows),
  expect_dead_letters: mapOf('how many records or rows were bad, by code such as user.data.type; those that no test expects fail it', count('how many')),
  expect_late: count('how many rows came too late for all their windows; those that no test expects fail it'),
};

const step = anyOf('one thing after the other: send, advance, idle, restart, or something to expect',
  oneOfWords('restart: the pipeline stops and goes on from its saved state', ['restart']),
  object('send, advance, idle, or something to expect', {
    send: word('a source that gets records: rows or text'),
    rows: listOf('records to send, as JSON', { type: 'object', description: 'fields of one' }),
    text: listOf('records to send as they are, JSON or not; null is a record without a value', anyOf('bytes of one', { type: 'string' }, { type: 'null' })),
    key: text('key of the records; with it the partition is the one that Kafka would choose'),
    partition: { type: 'integer', minimum: 0, maximum: 999, description: 'partition that gets the records, or that is idle; default: 0, or by the key' },
    headers: mapOf('headers of the records', text('value of one')),
    time: text('time of the records themselves, such as 2024-01-01T12:00:00Z; default: the clock of the test'),
    advance: span('lets time pass in which nothing is sent, as when following: partitions become idle, windows close'),
    idle: word('a source that is quiet for as long as its event_time.idle, while the others are not'),
    ...checks,
  }));

const test = object('what goes in and what comes out', {
  name: word('what is shown'),
  input: mapOf('records by source, in order', rows),
  steps: listOf('what happens one after the other, as when following; after input, and before all windows close', step, 1),
  ...checks,
  expect_error: word('code of the problem that the pipeline has, or that stops it, such as user.sql.unknown_column'),
  ordered: flag('rows are compared in the order in which they came; for one partition'),
  partitions: { type: 'integer', minimum: 1, maximum: 1000, description: 'partitions of each topic; default: 1, or as many as the steps name' },
  now: text('where the clock of the test begins, such as 2024-01-01T12:00:00Z; default: 2100-01-01, so that no event is from the future'),
}, ['name']);

/** JSON Schema of the pipeline file: editors, `pipe schema` and the loader use this one. */
export const pipelineSchema: JsonSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'pipe pipeline',
  ...object('a streaming SQL pipeline', {
    name: text('name of the pipeline: letters a-z, digits and -; its state and its Kafka consumer group are found by it', { pattern: '^[a-z][a-z0-9-]{0,99}$', examples: ['fraud'] }),
    description: text('what the pipeline is for'),
    sources: mapOf('topics that are read, by the name that SQL calls them', ref('source'), 1),
    steps: mapOf('named queries that steps and sinks can read', sql),
    sinks: mapOf('topics that are written', ref('sink'), 1),
    settings,
    tests: listOf('examples that the pipeline must fulfil: pipe test runs them', ref('test')),
  }, ['name', 'sources', 'sinks']),
  definitions: { source, sink, test },
};

/** JSON Schema of a file of tests beside a pipeline: `*.test.yaml`. */
export const testFileSchema: JsonSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'tests of a pipe pipeline',
  ...object('tests of a pipeline that is another file', {
    pipeline: word('the pipeline file, its path relative to this file', { examples: ['fraud.yaml'] }),
    tests: listOf('examples that the pipeline must fulfil', ref('test'), 1),
  }, ['pipeline', 'tests']),
  definitions: { test },
};
