import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from 'node:net';
import { Project, type Finished } from '../e2e/project.ts';
import { Dash, type Event } from './dash.ts';

// the built command, dist/

/** An undeclared topic, one of a source and one of a sink, state with open windows, and dead letters. */
const PIPELINE = `name: sums
sources:
  payments:
    schema: account STRING, amount DECIMAL(12,2), at TIMESTAMP(3)
    event_time: {from: at, delay: 0s, idle: 100ms}
sinks:
  totals:
    key: account
    sql: SELECT account, SUM(amount) AS total, window_start FROM payments GROUP BY account, TUMBLE(at, INTERVAL '10' SECOND)
`;
const payment = (account: string, amount: number, second: number): string => JSON.stringify({ account, amount, at: `2024-01-01T00:00:${String(second).padStart(2, '0')}Z` });
const ID = 'sums@embedded';

/** Rows that a job has written, as status says. */
const written = ({ lines }: Finished): number => (lines[0] === undefined ? 0 : (JSON.parse(lines[0]) as { readonly run: { readonly rows_out: number } }).run.rows_out);

let p: Project;
let dash: Dash;

beforeAll(async () => {
  p = new Project();
  p.write('sums.yaml', PIPELINE);
  const good = [payment('a', 1, 1), payment('b', 2.5, 2), payment('a', 3, 12), payment('ü', 7, 13)];
  await p.run(['topics', 'create', 'payments', '--partitions', '2']);
  await p.run(['topics', 'send', 'payments', '--key-field', 'account', '--partition', '0'], { input: `${good.join('\n')}\n` });
  await p.run(['topics', 'send', 'payments', '--partition', '1'], { input: `bad\n${JSON.stringify({ account: 'c', amount: 'much', at: '2024-01-01' })}\n` });
  await p.run(['topics', 'send', 'notes', '--partition', '1'], { input: Array.from({ length: 1000 }, (_, i) => `{"n":${i},"text":"note ${i}"}\n`).join('') });
  // stopped in the middle: the windows stay open
  const run = p.start(['run', 'sums.yaml', '--follow', '--no-print']);
  await run.until('following');
  for (let rows = 0; rows < 2; ) rows = written(await p.run(['status', 'sums', '--json']));
  run.kill('SIGTERM');
  await run.finished;
  dash = await Dash.start(p, ['--allow-actions']);
}, 60_000);
afterAll(async () => {
  expect(await dash.stop()).toBe(0);
  p.remove();
});

const offsets = (answer: any): string[] => answer.records.map((r: any) => `${r.partition}/${r.offset}`);

it('answers on every path with what its schema says, and says so of no path that it does not have', async () => {
  expect((await dash.get('/api/v1/info'))).toMatchObject({ root: p.dir, data_dir: `${p.dir}/.pipe`, actions: true, own: false, logs: [{ id: 'embedded', kind: 'embedded', error: null }], pipelines: ['balances', 'fraud', 'sums'] });
  const { jobs } = await dash.get('/api/v1/jobs');
  expect(jobs.map((j: any) => [j.pipeline, j.state, j.run.records_in, j.run.undecodable])).toEqual([['sums', 'done', 6, 2]]);
  const { job, plan } = await dash.get(`/api/v1/jobs/${ID}`);
  expect(job.operators[0].open_windows).toBe(1);
  expect(plan.operators.map((o: any) => o.id)).toEqual(job.operators.map((o: any) => o.id));
  expect((await dash.get(`/api/v1/config/${ID}`)).sinks.totals.topic).toBe('totals');
  expect((await dash.get('/api/v1/config/fraud')).sources.transactions.event_time).toEqual({ from: 'timestamp', unit: 's', as: 'ts', delay: '5s', idle: '10s', max_future: '1h' });
  expect((await dash.events('/api/v1/events', e => e.length > 0))[0]?.data.jobs[0].pipeline).toBe('sums');
  for (const path of ['/healthz', '/readyz']) expect(await dash.ask(path, { headers: { Authorization: undefined } })).toMatchObject({ status: 200, text: 'ok\n' });
  expect((await dash.ask('/metrics', { headers: { Authorization: undefined } })).text).toContain('pipe_source_records_total{pipeline="sums",source="payments",topic="payments"} 6\n');
  expect(await dash.refused('/api/v1/nothing')).toMatchObject({ status: 404, code: 'user.usage.not_found' });
  expect(await dash.refused('/api/v1/jobs/none@embedded')).toMatchObject({ status: 404 });
  expect(dash.paths.filter(x => x.path.startsWith('/api/') && x.answers === null)).toEqual([]);
});

describe('records of a topic', () => {
  it('are listed with what a filter may name', async () => {
    const { topics } = await dash.get('/api/v1/topics');
    expect(topics.map((t: any) => [t.name, t.partitions.length, t.records, t.declared])).toEqual([['notes', 3, 1000, false], ['payments', 2, 6, true], ['totals', 2, 2, true]]);
    expect(topics[1].columns.slice(0, 4)).toEqual([{ name: 'account', type: 'STRING' }, { name: 'amount', type: 'DECIMAL(12,2)' }, { name: 'at', type: 'TIMESTAMP(3)' }, { name: 'key', type: 'STRING' }]);
    expect(topics[2].columns.slice(0, 3)).toEqual([{ name: 'account', type: 'STRING' }, { name: 'total', type: 'DECIMAL(38,2)' }, { name: 'window_start', type: 'TIMESTAMP(3)' }]);
  });

  it('come newest first, and page by page each once', async () => {
    const path = '/api/v1/topics/notes/records';
    const seen: string[] = [];
    let next: string | null = null;
    for (let page = 0; page < 10; page++) {
      const answer: any = await dash.get(path, { limit: 150, ...(next === null ? {} : { next }) });
      seen.push(...offsets(answer));
      expect(answer.done).toBe(seen.length === 1000);
      next = JSON.stringify(answer.next);
      if (answer.done) break;
    }
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, i) => `1/${999 - i}`));
  });

  it('begin at an offset, a time, the first or the last one, in either direction', async () => {
    const of = async (query: Record<string, string | number>): Promise<string[]> => offsets(await dash.get('/api/v1/topics/notes/records', { limit: 2, ...query }));
    expect(await of({ from: 'earliest' })).toEqual(['1/0', '1/1']);
    expect(await of({ from: 'latest' })).toEqual(['1/999', '1/998']);
    expect(await of({ offset: 500 })).toEqual(['1/500', '1/501']);
    expect(await of({ offset: 500, order: 'newest' })).toEqual(['1/500', '1/499']);
    expect(await of({ offset: 999_999 })).toEqual([]);
    expect(await of({ offset: 500, partition: 0 })).toEqual([]);
    const [{ timestamp }] = (await dash.get('/api/v1/topics/notes/records', { limit: 1 })).records;
    expect(await of({ time: timestamp + 1 })).toEqual([]);
    expect(await of({ time: '2020-01-01T00:00:00Z' })).toEqual(['1/0', '1/1']);
    expect(await of({ time: timestamp + 1, order: 'newest' })).toEqual(['1/999', '1/998']);
    const { next } = await dash.get('/api/v1/topics/notes/records', { from: 'earliest', limit: 3 });
    expect(await of({ from: 'earliest', next: JSON.stringify(next) })).toEqual(['1/3', '1/4']);
  });

  it('mix the partitions by time', async () => {
    const { records } = await dash.get('/api/v1/topics/payments/records', { from: 'earliest' });
    expect(records.length).toBe(6);
    const times = records.map((r: any) => r.timestamp);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    const first = await dash.get('/api/v1/topics/payments/records', { limit: 4 });
    const rest = await dash.get('/api/v1/topics/payments/records', { next: JSON.stringify(first.next) });
    expect([...offsets(first), ...offsets(rest)].sort()).toEqual(offsets({ records }).sort());
    expect(rest.done).toBe(true);
  });

  it('show bytes that are no text in base64, null as null, and are cut unless one is asked for alone', async () => {
    const long = `${'x'.repeat(16_383)}üü`;
    for (const r of [{ key: 'ü', value: null, headers: [{ key: 'h', value: 'v' }, { key: 'n', value: null }] }, { key: null, value: long, partition: 2 }]) await dash.post('/api/v1/topics/notes/records', r);
    await p.run(['topics', 'send', 'notes', '--partition', '0'], { input: 'ok\n' });
    const { records } = await dash.get('/api/v1/topics/notes/records', { limit: 3 });
    const tomb = records.find((r: any) => r.key === 'ü');
    expect(tomb).toMatchObject({ value: null, headers: [{ key: 'h', value: 'v' }, { key: 'n', value: null }], size: 2, truncated: false });
    const cut = records.find((r: any) => r.truncated);
    // not in the middle of a character
    expect(cut.value).toBe('x'.repeat(16_383));
    expect(cut.size).toBe(16_387);
    expect((await dash.get('/api/v1/topics/notes/records', { limit: 1, partition: 2, offset: cut.offset })).records[0]).toMatchObject({ value: long, truncated: false });
  });

  it('are filtered by SQL over their columns, over what all records have, and over fields of JSON where nobody declares any', async () => {
    const of = async (topic: string, filter: string): Promise<any> => dash.get(`/api/v1/topics/${topic}/records`, { filter, from: 'earliest' });
    expect((await of('payments', 'amount > 2')).records.map((r: any) => r.key).sort()).toEqual(['a', 'b', 'ü']);
    expect((await of('payments', "key = 'a' AND at >= TIMESTAMP '2024-01-01 00:00:10'")).records.length).toBe(1);
    // what cannot be decoded does not match, and is counted
    expect(await of('payments', 'amount < 0')).toMatchObject({ records: [], failed: 2, scanned: 6, done: true });
    // bytes that are no number are looked at only where the condition names them
    expect(await of('payments', "value = 'bad'")).toMatchObject({ failed: 0, records: [{ value: 'bad' }] });
    expect((await of('totals', 'total = 2.5')).records.map((r: any) => r.key)).toEqual(['b']);
    expect(offsets(await of('notes', "n = '17' OR text LIKE '%note 99_'")).slice(0, 2)).toEqual(['1/17', '1/990']);
    expect(offsets(await of('notes', 'partition = 1 AND "offset" BETWEEN 3 AND 4'))).toEqual(['1/3', '1/4']);
    expect(await of('notes', 'CAST(text AS INT) = 1')).toMatchObject({ records: [], failed: 1000 + 3, done: true });
    expect((await of('notes', "TRY_CAST(n AS INT) < 2")).records.length).toBe(2);
  });

  it('a filter that finds nothing for long stops, says where, and goes on from there', async () => {
    await p.run(['generate', 'many', '--count', '250000', '--rate', 'max', '--quiet']);
    for (const order of ['newest', 'oldest']) {
      let [scanned, pages, found] = [0, 0, 0];
      for (let next = ''; ; pages++) {
        const answer = await dash.get('/api/v1/topics/many/records', { filter: "account = '1000' AND amount = '0'", order, ...(next === '' ? { from: order === 'newest' ? 'latest' : 'earliest' } : { next }) });
        scanned += answer.scanned;
        found += answer.records.length;
        next = JSON.stringify(answer.next);
        if (answer.done) break;
        expect(answer.filter_stopped).toBe(true);
      }
      expect([scanned, found, pages > 0]).toEqual([250_000, 0, true]);
    }
  });

  it('and a filter that is none is refused at its place', async () => {
    const of = (filter: string): Promise<any> => dash.refused('/api/v1/topics/payments/records', { query: { filter } });
    expect(await of('ammount > 1')).toMatchObject({ status: 400, code: 'user.sql.unknown_column', at: [0, 7] });
    expect(await of('amount')).toMatchObject({ code: 'user.sql.type' });
    expect(await of('amount > 1 GROUP BY account')).toMatchObject({ code: 'user.sql.syntax', at: [11, 16] });
    expect(await of('amount > 1; DROP TABLE x')).toMatchObject({ code: 'user.sql.syntax' });
    expect(await of('SUM(amount) > 1')).toMatchObject({ code: 'user.sql.aggregate' });
    expect((await of('amount > (SELECT 1)')).status).toBe(400);
    expect((await of(`${'('.repeat(9000)}1`)).code).toBe('user.sql.too_deep');
    expect((await of('x'.repeat(10_001))).code).toBe('user.usage.bad_value');
    for (const query of [{ limit: 0 }, { limit: 501 }, { limit: '1e1' }, { offset: -1 }, { partition: 9 }, { from: 'now' }, { time: 'noon' }, { next: '{"a":1}' }, { next: '[' }, { order: 'up' }]) {
      expect((await dash.refused('/api/v1/topics/payments/records', { query })).status).toBe(400);
    }
  });

  it('are told as they come, and only those that match', async () => {
    const texts: string[] = [];
    const events = await dash.events('/api/v1/topics/notes/tail', e => {
      if (e.length === 1 && texts.length === 0) void (texts.push('sent'), dash.post('/api/v1/topics/notes/records', { value: '{"n":"no"}' }).then(() => dash.post('/api/v1/topics/notes/records', { key: 'k', value: '{"n":"yes"}' })));
      return e.some(x => x.name === 'records');
    }, { query: { filter: "n = 'yes'" } });
    expect(events.map((e: Event) => e.name)).toEqual(['open', 'records']);
    expect(events[1]?.data).toMatchObject([{ key: 'k', value: '{"n":"yes"}' }]);
  });

  it('a client that has gone leaves nothing behind; one that does not read is told what it missed', async () => {
    for (let i = 0; i < 40; i++) await dash.events('/api/v1/topics/notes/tail', e => e.length > 0);
    const lines = Array.from({ length: 400 }, () => `${'x'.repeat(10_000)}\n`).join('');
    await p.run(['topics', 'create', 'flood']);
    const slow = connect(dash.port, '127.0.0.1');
    slow.write(`GET /api/v1/topics/flood/tail HTTP/1.1\r\nHost: 127.0.0.1:${dash.port}\r\nAuthorization: Bearer ${dash.token}\r\n\r\n`);
    await new Promise(done => slow.once('data', done));
    slow.pause();
    for (let i = 0; i < 8; i++) await p.run(['topics', 'send', 'flood'], { input: lines });
    let text = '';
    slow.setEncoding('latin1').on('data', (t: string) => { text += t; }).resume();
    const poke = setInterval(() => { void p.run(['topics', 'send', 'flood'], { input: 'last\n' }); }, 300);
    await new Promise<void>(done => { slow.on('data', () => { if (text.includes('event: skipped')) done(); }); });
    clearInterval(poke);
    slow.destroy();
    expect(text).toMatch(/event: skipped\ndata: \{"n":\d+\}/);
  }, 60_000);
});

describe('state', () => {
  it('is listed, looked up by key and asked in SQL', async () => {
    const { states } = await dash.get('/api/v1/state');
    expect(states.map((s: any) => s.id)).toEqual([ID]);
    const table = states[0].tables.find((t: any) => t.operator !== null);
    expect(table).toMatchObject({ name: 'state_totals', keys: ['account'], rows: 2 });
    expect(states[0].tables.find((t: any) => t.name === 'dead_letters').rows).toBe(2);
    const found = await dash.get(`/api/v1/state/${ID}/lookup`, { table: 'state_totals', key: '["ü"]' });
    expect(found.rows.map((r: any) => r[found.columns.indexOf('account')])).toEqual(['ü']);
    expect((await dash.get(`/api/v1/state/${ID}/lookup`, { table: 'state_totals', key: '["none"]' })).rows).toEqual([]);
    expect(await dash.post(`/api/v1/state/${ID}/query`, { sql: 'SELECT account FROM state_totals ORDER BY 1 -- all' })).toMatchObject({ columns: ['account'], rows: [['a'], ['ü']], truncated: false });
    expect(await dash.post(`/api/v1/state/${ID}/query`, { sql: 'SELECT 9007199254740993, x\'ff\', NULL, 1.5' })).toMatchObject({ rows: [['9007199254740993', { base64: '/w==' }, null, 1.5]] });
    const many = 'WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT x FROM r';
    expect(await dash.post(`/api/v1/state/${ID}/query`, { sql: many })).toMatchObject({ truncated: true });
    expect((await dash.post(`/api/v1/state/${ID}/query`, { sql: many, limit: 3 })).rows).toEqual([[1], [2], [3]]);
    for (const query of [{}, { table: 'none', key: '[1]' }, { table: 'state_totals', key: '1' }, { table: 'state_totals', key: '[1,2]' }, { table: 'meta', key: '[1]' }] as Record<string, string>[]) {
      expect((await dash.refused(`/api/v1/state/${ID}/lookup`, { query })).status).toBe(400);
    }
  });

  it('a query that does not end is ended, one that wants all memory is refused, and others go on meanwhile', async () => {
    const endless = dash.refused(`/api/v1/state/${ID}/query`, { method: 'POST', body: { sql: 'WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT count(*) FROM r' } });
    expect((await dash.post(`/api/v1/state/${ID}/query`, { sql: 'SELECT 1' })).rows).toEqual([[1]]);
    expect(await dash.refused(`/api/v1/state/${ID}/query`, { method: 'POST', body: { sql: 'WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT count(*) FROM (SELECT zeroblob(5000000) AS b FROM r ORDER BY b)' } })).toMatchObject({ status: 422, code: 'system.resource.memory' });
    expect(await endless).toMatchObject({ status: 422, code: 'system.resource.time_limit' });
  }, 30_000);
});

describe('dead letters', () => {
  it('are grouped, listed and looked at', async () => {
    const { codes, replayed } = await dash.get(`/api/v1/dlq/${ID}`);
    expect(codes.map((k: any) => [k.code, k.n])).toEqual(expect.arrayContaining([['user.data.decode', 1], ['user.data.type', 1]]));
    expect(replayed).toBe(0);
    const { letters, next } = await dash.get(`/api/v1/dlq/${ID}/letters`, { limit: 1 });
    expect(next).toBe(Number(letters[0].id));
    const rest = await dash.get(`/api/v1/dlq/${ID}/letters`, { before: next });
    expect([...letters, ...rest.letters].map((l: any) => l.value).sort()).toEqual(['bad', JSON.stringify({ account: 'c', amount: 'much', at: '2024-01-01' })]);
    expect((await dash.get(`/api/v1/dlq/${ID}/letters`, { code: 'user.data.decode' })).letters.map((l: any) => l.value)).toEqual(['bad']);
    expect((await dash.get(`/api/v1/dlq/${ID}/letters`, { id: letters[0].id })).letters).toEqual(letters);
    expect((await dash.refused('/api/v1/dlq/none@embedded')).status).toBe(404);
  });

  it('are sent again, each once, but not while the pipeline runs', async () => {
    const before = (await dash.get('/api/v1/topics/payments/records', { limit: 500 })).records.length;
    for (const body of [{}, { code: 1 }, { code: 'a', ids: [] }, { ids: [1] }]) expect((await dash.refused(`/api/v1/dlq/${ID}/replay`, { method: 'POST', body })).status).toBe(400);
    const run = p.start(['run', 'sums.yaml', '--follow', '--no-print']);
    await run.until('following');
    expect(await dash.refused(`/api/v1/dlq/${ID}/replay`, { method: 'POST', body: { code: 'user.data.decode' } })).toMatchObject({ status: 409, code: 'system.state.locked' });
    await dash.post(`/api/v1/jobs/${ID}/drain`);
    expect((await run.finished).code).toBe(0);
    expect(await dash.post(`/api/v1/dlq/${ID}/replay`, { code: 'user.data.decode' })).toMatchObject({ records: 1, topics: { payments: 1 } });
    expect(await dash.get(`/api/v1/dlq/${ID}`)).toMatchObject({ codes: [{ code: 'user.data.type', n: 1 }], replayed: 1 });
    expect((await dash.get('/api/v1/topics/payments/records', { limit: 500 })).records.length).toBe(before + 1);
    expect(await dash.refused(`/api/v1/jobs/${ID}/pause`, { method: 'POST' })).toMatchObject({ status: 400, code: 'user.usage.bad_value' });
    expect((await dash.refused(`/api/v1/jobs/${ID}/drain`, { method: 'POST' })).message).toContain('does not run');
  });
});

it('dead letters in a topic of their own are counted and listed with those of the table', async () => {
  p.write('moved.yaml', "name: moved\nsources:\n  notes: {schema: 'n STRING, text STRING NOT NULL', on_error: {topic: bad-notes}}\nsinks:\n  noted: {sql: SELECT n FROM notes}\n");
  await p.run(['run', 'moved.yaml', '--until-end', '--no-print']);
  const { codes, topics, partial } = await dash.get('/api/v1/dlq/moved@embedded');
  expect([topics, partial]).toEqual([['bad-notes'], false]);
  const { letters } = await dash.get('/api/v1/dlq/moved@embedded/letters');
  expect(letters.length).toBe(codes.reduce((n: number, k: any) => n + k.n, 0));
  expect(letters.length).toBeGreaterThan(0);
  const [{ code }] = codes;
  const of = (await dash.get('/api/v1/dlq/moved@embedded/letters', { code })).letters;
  expect(of.length).toBe(codes[0].n);
  expect(await dash.post('/api/v1/dlq/moved@embedded/replay', { ids: [of[0].id] })).toMatchObject({ records: 1, topics: { notes: 1 } });
  expect((await dash.get('/api/v1/dlq/moved@embedded/letters')).letters.map((l: any) => l.id)).not.toContain(of[0].id);
});

it('run --ui shows its own pipelines, is ready when they run, and pauses, resumes and drains each', async () => {
  const own = await Dash.start(p, [], { args: ['run', 'sums.yaml', 'fraud.yaml', '--follow', '--json', '--no-print', '--ui', '0', '--allow-actions'] });
  expect(await own.get('/api/v1/info')).toMatchObject({ own: true, pipelines: ['sums', 'fraud'] });
  const states = async (): Promise<string[]> => (await own.get('/api/v1/jobs')).jobs.map((j: any) => j.state);
  const until = (want: readonly string[]) => own.events('/api/v1/events', e => JSON.stringify(e.at(-1)?.data.jobs.map((j: any) => j.state)) === JSON.stringify(want));
  await until(['running', 'running']);
  expect((await own.ask('/readyz')).status).toBe(200);
  await own.post(`/api/v1/jobs/${ID}/pause`);
  await until(['paused', 'running']);
  await own.post(`/api/v1/jobs/${ID}/resume`);
  await until(['running', 'running']);
  expect((await own.get('/api/v1/jobs/fraud@embedded')).plan.pipeline).toBe('fraud');
  await own.post(`/api/v1/jobs/${ID}/drain`);
  await until(['done', 'running']);
  expect(await states()).toEqual(['done', 'running']);
  expect((await own.get('/api/v1/state')).states.map((s: any) => s.id)).toEqual([ID, 'fraud@embedded']);
  await own.post('/api/v1/jobs/fraud@embedded/drain');
  expect((await own.running.finished).code).toBe(0);
});

it('does not say that no window is open where worker threads hold them', async () => {
  const own = await Dash.start(p, [], { args: ['run', 'sums.yaml', '--follow', '--json', '--no-print', '--ui', '0', '--workers', '2', '--data-dir', 'threads'] });
  const [job] = (await own.get('/api/v1/jobs')).jobs;
  expect(job.operators.map((o: any) => [o.keys === null, o.open_windows])).toEqual([[false, null], [true, 0]]);
  await own.stop();
});
