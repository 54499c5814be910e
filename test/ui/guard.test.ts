import { afterAll, beforeAll, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Project } from '../e2e/project.ts';
import { promiseLine } from '../promises/promise.ts';
import { canaryEnv, secretPipeline } from '../security/canaries.ts';
import { Dash, raw, type Reply } from './dash.ts';

// the built command, dist/

const env = canaryEnv(10);
const TOKEN = 'a-token-of-the-tests';

let p: Project;
/** With and without --allow-actions. */
let acting: Dash;
let looking: Dash;

beforeAll(async () => {
  p = new Project();
  p.write('secret.yaml', secretPipeline('', '    on_error: {topic: dead}\n'));
  await p.run(['topics', 'send', 't', '--partition', '0'], { input: '{"a":"x","n":1}\n{"a":"y","n":0}\nbad\n' });
  await p.run(['run', 'secret.yaml', '--until-end', '--no-print'], { env });
  acting = await Dash.start(p, ['--allow-actions'], { env: { ...env, PIPE_UI_TOKEN: TOKEN } });
  looking = await Dash.start(p, [], { env });
}, 60_000);
afterAll(async () => {
  await Promise.all([acting.stop(), looking.stop()]);
  p.remove();
});

/** Paths with something in the place of each part. */
const filled = (path: string): string => path.replace(':job', 'secret@embedded').replace(':topic', 't');
const BODIES: Readonly<Record<string, unknown>> = { records: { key: 'k', value: 'written' }, replay: { code: 'user.data.division_by_zero' }, query: { sql: 'SELECT 1' } };
const bodyOf = (path: string): unknown => BODIES[path.split('/').at(-1) as string] ?? {};

/** Sends bytes as they are; all that comes back. */
function bytes(port: number, text: string): Promise<string> {
  return new Promise(done => {
    let got = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.setEncoding('latin1').on('data', (t: string) => { got += t; }).on('close', () => done(got)).on('error', () => done(got));
    setTimeout(() => socket.destroy(), 2000).unref();
  });
}

/** What came back holds data of ours, or did something. */
const gaveData = (r: Reply | string): boolean => (typeof r === 'string' ? / 200 OK/.test(r) : r.status < 400);

it('no attack from a page of another site, or from a neighbour without the token, comes through', async () => {
  const here = { Authorization: `Bearer ${acting.token}` };
  const own = `127.0.0.1:${acting.port}`;
  const json = { 'Content-Type': 'application/json' };
  const send = '/api/v1/topics/t/records';
  const before = (await acting.get(send, { limit: 500 })).records.length;
  const get = (path: string, headers: Record<string, string>): Promise<Reply> => raw(acting.port, 'GET', path, headers);
  const post = (headers: Record<string, string>, path = send, body: unknown = BODIES['records']): Promise<Reply> => raw(acting.port, 'POST', path, { ...here, ...json, ...headers }, JSON.stringify(body));
  const api = acting.paths.filter(x => x.path.startsWith('/api/'));
  const all = (headers: Record<string, string>): Promise<Reply[]> => Promise.all(api.map(x => raw(acting.port, x.method, filled(x.path), { ...(x.method === 'POST' ? json : {}), ...headers }, x.method === 'POST' ? JSON.stringify(bodyOf(x.path)) : null)));

  const attacks: Record<string, (Reply | string)[]> = {
    // the names that an attacker's DNS may give our address
    'rebinding: the page': await Promise.all(['evil.example', `evil.example:${acting.port}`, `127.0.0.1.evil.example:${acting.port}`, `127.0.0.1:${acting.port + 1}`, '127.0.0.1', `localhost.:${acting.port}`].map(Host => get('/', { Host }))),
    'rebinding: the API, with the token': await Promise.all(['/api/v1/info', '/metrics', '/healthz'].map(path => get(path, { ...here, Host: `evil.example:${acting.port}` }))),
    'no Host at all': [await bytes(acting.port, `GET /healthz HTTP/1.0\r\n\r\n`), await bytes(acting.port, `GET /healthz HTTP/1.1\r\n\r\n`)],
    'Host in the line of the request': [await bytes(acting.port, `GET http://evil.example/healthz HTTP/1.1\r\nHost: ${own}\r\nConnection: close\r\n\r\n`)],
    'CSRF: a page of another site posts': await Promise.all(['http://evil.example', 'null', `http://127.0.0.1:${acting.port + 1}`, `https://${own}`, `http://${own}.evil.example`, `http://localhost:${acting.port}`].map(Origin => post({ Origin }))),
    'CSRF: a post that does not say where it comes from': [await post({}), await post({ 'Sec-Fetch-Site': 'cross-site', Origin: `http://${own}` }), await post({ 'Sec-Fetch-Site': 'same-site', Origin: `http://${own}` })],
    'CSRF: what a form may send without asking': await Promise.all(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'].map(type => post({ Origin: `http://${own}`, 'Content-Type': type }))),
    'another site listens to events': await Promise.all(['/api/v1/events', '/api/v1/topics/t/tail', '/api/v1/info'].flatMap(path => [get(path, { ...here, Origin: 'http://evil.example' }), get(path, { ...here, 'Sec-Fetch-Site': 'cross-site' })])),
    'no token, on every path': await all({ Origin: `http://${own}` }),
    'a wrong token, on every path': await all({ Origin: `http://${own}`, Authorization: `Bearer ${acting.token}x` }),
    'the token elsewhere': await Promise.all([get(`/api/v1/info?token=${acting.token}`, {}), get('/api/v1/info', { Cookie: `token=${acting.token}` }), get('/api/v1/info', { Authorization: `Basic ${Buffer.from(`x:${acting.token}`).toString('base64')}` }), get('/api/v1/info', { Authorization: acting.token })]),
    'another method': await Promise.all(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'].flatMap(m => [raw(acting.port, m, send, { ...here, Origin: `http://${own}` }), raw(acting.port, m, '/', here)])),
    'a method in a header': [await raw(acting.port, 'POST', '/api/v1/info', { ...here, ...json, Origin: `http://${own}`, 'X-HTTP-Method-Override': 'GET' }, '{}')],
    'paths that lead out of the page': await Promise.all(['/../package.json', '/../../etc/passwd', '/%2e%2e/package.json', '/..%2fpackage.json', '/assets/../../cli/main.js', '/%00', '//etc/passwd', '/\\..\\package.json', '/index.html/../../cli/main.js', '/.'].map(path => get(path, {}))),
    'ids that lead out of the data folder': await Promise.all([
      'state/..%2f..%2fsecret@embedded/lookup?table=meta&key=[1]', 'jobs/..%2fsecret@embedded', 'dlq/secret@..%2f..%2fembedded', 'dlq/secret@embedded%00', 'config/..%2f..%2fpackage', 'topics/..%2ft/records', 'topics/%2e%2e/records', "topics/t'%3b--/records", 'state/%/lookup', 'state/__proto__/lookup?table=a&key=[1]', 'jobs/constructor',
    ].map(path => get(`/api/v1/${path}`, here))),
    'bodies that are too long, or none': [
      await post({ Origin: `http://${own}` }, send, { value: 'x'.repeat(5 << 20) }).catch(() => 'cut off'), ...await Promise.all(['', '[]', '1', 'null', '{"value":', '{"value":{}}', '{"value":"x","partition":-1}', '{"value":"x","partition":"0"}', '{"value":"x","headers":{"a":1}}', '{"value":"x","headers":[{"key":1}]}'].map(body => raw(acting.port, 'POST', send, { ...here, ...json, Origin: `http://${own}` }, body))),
    ],
    'a head that is too long': [await bytes(acting.port, `GET / HTTP/1.1\r\nHost: ${own}\r\nX: ${'x'.repeat(80_000)}\r\n\r\n`)],
    'two requests that look like one': [await bytes(acting.port, `POST ${send} HTTP/1.1\r\nHost: ${own}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: ${own}\r\n\r\n`)],
    'SQL that is more than a question': await Promise.all([
      `ATTACH '${p.dir}/stolen.db' AS x`, "VACUUM INTO '/tmp/stolen.db'", 'DELETE FROM dead_letters', 'CREATE TABLE x (a)', 'PRAGMA writable_schema = 1', 'PRAGMA user_version', 'SELECT 1; DROP TABLE meta', "SELECT load_extension('x')", "SELECT readfile('/etc/passwd')", "SELECT writefile('/tmp/x', 'x')",
      'BEGIN', '/* SELECT */ REINDEX', '-- SELECT\nANALYZE', "INSERT INTO meta VALUES ('a', 'b') RETURNING *", 'WITH x AS (SELECT 1) DELETE FROM meta RETURNING *', "SELECT * FROM pragma_database_list d, fts3_tokenizer('simple', x'00')", '',
    ].map(sql => post({ Origin: `http://${own}` }, '/api/v1/state/secret@embedded/query', { sql }))),
  };
  const succeeded = Object.entries(attacks).filter(([, replies]) => replies.length === 0 || replies.some(gaveData)).map(([name, replies]) => `${name}: ${replies.map(r => (typeof r === 'string' ? r.slice(0, 40) : r.status)).join(' ')}`);
  // refused for what they are, not for something else
  const statuses = (name: string): number[] => [...new Set((attacks[name] as Reply[]).map(r => r.status))];
  expect(Object.keys(attacks).filter(n => n.startsWith('rebinding')).map(statuses)).toEqual([[421], [421]]);
  expect(Object.keys(attacks).filter(n => /^CSRF|another site/.test(n)).map(statuses)).toEqual([[403], [403], [415], [403]]);
  expect(Object.keys(attacks).filter(n => /token/.test(n) && !n.startsWith('rebinding')).map(statuses)).toEqual([[401], [401], [401]]);
  const requests = Object.values(attacks).flat().length;
  // nothing was written by any of them
  const wrote = (await acting.get(send, { limit: 500 })).records.length - before;
  process.stderr.write(`${promiseLine('S8', { attacks: Object.keys(attacks).length, requests, succeeded: succeeded.length, wrote })}\n`);
  expect(succeeded).toEqual([]);
  expect(wrote).toBe(0);
  // a refusal says no more than it must, and nothing of where it happened
  for (const r of Object.values(attacks).flat()) expect(typeof r === 'string' ? r : r.text).not.toMatch(/node_modules|\.js:\d|at Object\.|\/src\//);
});

it('nothing is changed without --allow-actions', async () => {
  const actions = looking.paths.filter(x => x.action);
  expect(actions.map(x => x.path).sort()).toEqual(['/api/v1/dlq/:job/replay', '/api/v1/jobs/:job/drain', '/api/v1/jobs/:job/pause', '/api/v1/jobs/:job/resume', '/api/v1/topics/:topic/records']);
  // every other POST only asks
  expect(looking.paths.filter(x => x.method !== 'GET' && !x.action).map(x => x.path)).toEqual(['/api/v1/state/:job/query']);
  const before = await looking.get('/api/v1/topics');
  let writes = 0;
  for (const { path } of actions) {
    const refused = await looking.refused(filled(path), { method: 'POST', body: bodyOf(path) });
    if (refused.status !== 403 || refused.code !== 'user.usage.read_only') writes++;
  }
  process.stderr.write(`${promiseLine('S10', { actions: actions.length, writes_without_flag: writes })}\n`);
  expect(writes).toBe(0);
  expect(await looking.get('/api/v1/topics')).toEqual(before);
});

it('every answer forbids scripts, frames, sniffing and caches of others, and lets no other site read it', async () => {
  const replies = [await acting.ask('/'), await acting.ask('/api/v1/info'), await acting.ask('/api/v1/none'), await acting.ask('/healthz'), await acting.ask('/metrics'), await raw(acting.port, 'GET', '/', { Host: 'evil.example' }), await acting.ask('/api/v1/info', { method: 'OPTIONS', headers: { Origin: 'http://evil.example', 'Access-Control-Request-Method': 'POST' } })];
  for (const { headers } of replies) {
    expect(headers['content-security-policy']).toBe("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer', 'cross-origin-resource-policy': 'same-origin' });
    expect(Object.keys(headers).filter(h => h.startsWith('access-control-') || h === 'set-cookie')).toEqual([]);
  }
  expect((await acting.ask('/api/v1/info')).headers['cache-control']).toBe('no-store');
  const listed = await acting.ask('/api/v1/topics/none%0d%0aX-Evil:%201/records?from=%0d%0aX-Evil:%201');
  expect(listed.headers['x-evil']).toBeUndefined();
});

it('no answer holds a secret of the environment or the token', async () => {
  const answers: string[] = [];
  for (const { method, path } of acting.paths) {
    if (/\/(events|tail|pause|resume|drain|replay)$/.test(path) || (method === 'POST' && path.endsWith('/records'))) continue;
    const query = path.endsWith('/lookup') ? '?table=meta&key=[1]' : '';
    answers.push((await acting.ask(filled(path) + query, method === 'POST' ? { method, body: bodyOf(path) } : {})).text);
  }
  answers.push((await acting.ask('/api/v1/state/secret@embedded/query', { method: 'POST', body: { sql: 'SELECT * FROM meta, operators' } })).text);
  await acting.events('/api/v1/events', e => { answers.push(JSON.stringify(e)); return true; });
  const { text } = await acting.ask('/api/v1/config/secret');
  expect(JSON.parse(text).settings.kafka).toEqual({ id_prefix: '', client_id: '***', ssl: { ca: '***', cert: '***', key: '***', passphrase: '***', servername: '***' }, sasl: { mechanism: 'plain', username: '***', password: '***' } });
  expect(JSON.parse(text).description).toBe('***');
  const all = answers.join('') + acting.running.out + acting.running.err + readFileSync(join(p.dir, '.pipe/live/secret@embedded.json'), 'utf8');
  expect(all.length).toBeGreaterThan(10_000);
  const leaks = [...Object.values(env), TOKEN].filter(s => all.includes(s));
  process.stderr.write(`${promiseLine('S7', { dashboard: 1, canaries: 11, leaks: leaks.length })}\n`);
  expect(leaks).toEqual([]);
});

it('who reaches it from another machine has a token that somebody chose', async () => {
  expect(await p.run(['ui', '--host', '0.0.0.0'])).toMatchObject({ code: 2 });
  expect(await p.run(['ui', '--host', '0.0.0.0', '--token', 'short'])).toMatchObject({ code: 2 });
  const open = p.start(['ui', '--port', '0', '--host', '0.0.0.0', '--json'], { env: { PIPE_UI_TOKEN: TOKEN } });
  await open.until('"url"');
  // a token that somebody knows is not printed
  expect(open.out + open.err).not.toContain(TOKEN);
  const port = Number(/:(\d+)\//.exec(open.out)?.[1]);
  const ask = (Host: string): Promise<Reply> => raw(port, 'GET', '/api/v1/info', { Host, Authorization: `Bearer ${TOKEN}` });
  expect((await ask(`127.0.0.2:${port}`)).status).toBe(200);
  expect((await ask(`evil.example:${port}`)).status).toBe(421);
  open.kill('SIGTERM');
  expect((await open.finished).code).toBe(0);
});

it('a port that is taken is said; without one the next is tried', async () => {
  const taken = await p.run(['ui', '--port', String(acting.port)]);
  expect(taken.code).toBe(2);
  expect(taken.err).toContain(`port ${acting.port} is taken`);
  const second = await Dash.start(p, [], { args: ['ui', '--json'] });
  const third = await Dash.start(p, [], { args: ['ui', '--json'] });
  expect(third.port).not.toBe(second.port);
  expect(await Promise.all([second.stop(), third.stop()])).toEqual([0, 0]);
});
