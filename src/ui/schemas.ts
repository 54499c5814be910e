import type { Route } from './call.ts';

/** As much of JSON Schema (draft 7) as the answers need. */
export type Schema = { readonly [key: string]: unknown };

const num: Schema = { type: 'number' };
const int: Schema = { type: 'integer' };
const text: Schema = { type: 'string' };
const groups: Schema = { type: 'integer', description: 'groups that are held; at most, where disk_bytes is not 0: one counts in each run on disk that it is in' };
const flag: Schema = { type: 'boolean' };
const any: Schema = {};
const ms = (description: string): Schema => ({ type: 'integer', description: `epoch ms: ${description}` });
const orNull = (s: Schema): Schema => ({ anyOf: [s, { type: 'null' }] });
const list = (items: Schema): Schema => ({ type: 'array', items });
const mapOf = (additionalProperties: Schema): Schema => ({ type: 'object', additionalProperties });
const words = (...all: readonly string[]): Schema => ({ enum: all });
const ref = (name: string): Schema => ({ $ref: `#/definitions/${name}` });

/** All properties are required, but those whose name ends with `?`. More may come with later versions. */
function object(properties: Readonly<Record<string, Schema>>): Schema {
  const names = Object.keys(properties);
  return { type: 'object', required: names.filter(n => !n.endsWith('?')), properties: Object.fromEntries(names.map(n => [n.replace('?', ''), properties[n]])) };
}

const answer = (properties: Readonly<Record<string, Schema>>): Schema => object({ v: { const: 1 }, ...properties });

const counts = object({ records_in: int, rows_out: int, filtered: int, late: int, future: int, undecodable: int, failed: int });
const histogram = object({ le: list(num), counts: list(int), sum: num, count: int });

const job = object({
  v: { const: 1 }, pipeline: text, file: text, log: object({ kind: words('embedded', 'kafka'), id: text, label: text }), state_file: text, pid: int, version: text, started_at: ms('when the run began'), at: ms('when this was written'),
  state: words('starting', 'running', 'paused', 'draining', 'done', 'stopped', 'failed', 'crashed'), error: orNull(object({ code: text, message: text })), following: flag, away: flag, restarts: int, run: ref('counts'), totals: ref('counts'),
  rate: object({ in: num, out: num }), history: object({ every_ms: int, in: list(num), out: list(num) }), lag: int, backlog_s: orNull(num), epoch: int, last_commit_at: orNull(ms('the last commit')), keys: groups, memory_bytes: num, disk_bytes: num,
  sources: list(object({
    id: text, name: text, topic: text, records: int, bytes: int, per_s: num, busy: orNull(num), event_time: flag, watermark: orNull(num), lag: int, holder: orNull(int),
    partitions: list(object({ partition: int, position: int, end: int, max_event_time: orNull(num), state: words('live', 'idle', 'done') })),
  })),
  operators: list(object({
    id: text, rows_in: orNull(int), rows_out: orNull(int), in_per_s: orNull(num), out_per_s: orNull(num), filtered: int, late: int, failed: int, busy: orNull(num), busy_ms: orNull(num), watermark: orNull(num), keys: orNull(groups),
    memory_bytes: num, disk_bytes: num, open_windows: orNull(int), windows: list(object({ start: num, end: num, keys: groups })),
  })),
  sinks: list(object({ name: text, topic: text, rows: int, per_s: num, bytes: int, busy: orNull(num) })),
  dead: list(object({ code: text, n: int })), problems: list(object({ at: ms('when it happened'), code: text, message: text, where: orNull(text) })),
  latency: ref('histogram'), window_close: ref('histogram'), commit: ref('histogram'), delivery: ref('histogram'),
});

const plan = object({
  v: { const: 1 }, pipeline: text, file: text, delivery: text, checkpoint_ms: int,
  sources: list(object({
    id: text, name: text, topic: text, format: text, columns: list(object({ name: text, type: text, read: flag })), watermark: orNull(text), on_error: text,
    event_time: orNull(object({ column: text, from: text, unit: orNull(text), delay_ms: int, idle_ms: int, max_future_ms: int })),
  })),
  operators: list(object({
    id: text, input: text, kind: words('select', 'aggregate'), does: list(text), state: orNull(object({ table: text, row_per: text, columns: list(text), bytes_per_row: int })), emits: text, output: list(text),
  })),
  sinks: list(object({ name: text, input: text, topic: text, format: text, key: list(text), columns: list(text) })), warnings: list(text), notes: list(text),
  sql: list(object({ query: text, text, line: int })), parts: mapOf(object({ query: text, ranges: list(list(int)) })),
});

/** Text, or base64 beside a null where the bytes are no UTF-8. */
const bytes = (name: string): Readonly<Record<string, Schema>> => ({ [name]: orNull(text), [`${name}_base64?`]: text });
const record = object({ partition: int, offset: int, timestamp: ms('of the record'), ...bytes('key'), ...bytes('value'), headers: list(object({ key: text, ...bytes('value') })), size: int, truncated: flag });
const problem = object({ code: text, message: text, hint: orNull(text), at: orNull(list(int)) });

/** In the form of the pipeline file, with all defaults. */
const config = answer({ name: text, file: text, 'description?': text, sources: mapOf(mapOf(any)), 'steps?': mapOf(text), sinks: mapOf(mapOf(any)), settings: mapOf(any), 'tests?': list(any) });

/** Every answer and event of the API, by name. */
export const definitions: Readonly<Record<string, Schema>> = {
  counts, histogram, report: job, plan, record, problem, config,
  done: answer({}),
  info: answer({ version: text, root: text, data_dir: text, actions: flag, own: flag, logs: list(object({ id: orNull(text), kind: words('embedded', 'kafka'), label: text, error: orNull(text) })), pipelines: list(text) }),
  jobs: answer({ at: ms('now'), jobs: list(ref('report')) }),
  job: answer({ job: ref('report'), plan: orNull(ref('plan')) }),
  jobs_event: object({ at: ms('now'), jobs: list(ref('report')) }),
  topics: answer({ topics: list(object({
    log: text, name: text, partitions: list(object({ partition: int, begin: int, end: int, bytes: orNull(int) })), records: int, bytes: orNull(int), declared: flag, columns: list(object({ name: text, type: text })),
  })) }),
  records: answer({ records: list(ref('record')), next: mapOf(int), order: words('newest', 'oldest'), scanned: int, done: flag, filter_stopped: flag, failed: int }),
  open_event: object({}), records_event: list(ref('record')), skipped_event: object({ n: int }),
  states: answer({ states: list(object({
    id: text, pipeline: text, log: text, file: text, bytes: int, epoch: orNull(int), error: orNull(ref('problem')), tables: list(object({ name: text, operator: orNull(text), columns: list(text), keys: list(text), rows: orNull(int) })),
  })) }),
  rows: answer({ columns: list(text), rows: list(list(any)), truncated: flag, 'ms?': int }),
  dead_codes: answer({ codes: list(object({ code: text, n: int, first: ms('the first one'), last: ms('the last one'), message: orNull(text), means: orNull(text), hint: orNull(text) })), replayed: int, topics: list(text), partial: flag }),
  letters: answer({
    letters: list(object({
      id: text, at: ms('when it was kept'), code: text, message: orNull(text), place: orNull(text), source: text, operator: orNull(text), topic: text, partition: int, offset: int, timestamp: orNull(ms('of the record')),
      ...bytes('key'), ...bytes('value'), size: orNull(int), truncated: flag, unfit: orNull(words('not_kept', 'cut', 'no_record', 'other_source')),
    })), next: orNull(int),
  }),
  replayed: answer({ records: int, topics: mapOf(int), refused: mapOf(int), late: int }),
  schemas: answer({ paths: list(object({ method: words('GET', 'POST'), path: text, action: flag, answers: orNull({ anyOf: [text, mapOf(text)] }) })), definitions: mapOf({ type: 'object' }) }),
};

/** GET /api/v1/schemas: paths of the API, each with the name of what it answers, and those by name. */
export function schemaRoute(others: readonly Route[]): Route {
  const route: Route = {
    method: 'GET', path: '/api/v1/schemas', answers: 'schemas',
    handle: () => ({ v: 1, paths: [...others, route].map(r => ({ method: r.method, path: r.path, action: r.action === true, answers: r.answers ?? null })), definitions }),
  };
  return route;
}
