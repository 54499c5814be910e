import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadPipeline } from '../../src/config/load.ts';
import { plainTree, writeYaml, type Branch, type Origin, type Written } from '../../src/config/write-yaml.ts';
import { canary, canaryEnv } from '../security/canaries.ts';
import { PipeProject } from './pipe.ts';

let p: PipeProject;
beforeEach(() => { p = new PipeProject(); });
afterEach(() => p.remove());

interface Value {
  readonly key: string;
  readonly value: unknown;
  readonly origin: Origin;
}

/** [value, where it comes from] by key. */
async function valuesOf(args: readonly string[], env: Record<string, string> = {}): Promise<Record<string, readonly [unknown, string]>> {
  const { json: [all] } = await p.ok(['config', ...args, '--json'], { env });
  expect(all).toMatchObject({ v: 1 });
  return Object.fromEntries((all?.['values'] as Value[]).map(v => [v.key, [v.value, v.origin.detail] as const]));
}

const RICH = `name: rich
description: "a: b #c, 'quoted' and \\"so\\""
sources:
  orders:
    topic: orders.v1
    format: {type: json}
    schema:
      id: BIGINT NOT NULL
      "odd: name": DECIMAL(12,2)
      at: TIMESTAMP(3)
    key: id
    event_time: {from: at, delay: 90s, idle: 1500ms, max_future: 2h}
    start: latest
    create: true
    on_error: {topic: bad-orders}
    on_data_loss: earliest
  plain:
    schema: a STRING, n INT
steps:
  large: |
    SELECT id, at
      FROM orders

    WHERE id > 10   -- a comment
sinks:
  copy:
    from: plain
    on_error: skip
  out:
    key: [id, at]
    format: {type: json, timestamps: iso, decimals: string}
    create: {partitions: 5, retention: 7d, config: {cleanup.policy: compact, segment.ms: 1000, preallocate: false}}
    sql: SELECT id, at FROM large
settings:
  kafka: {id_prefix: team-, client_id: me, brokers: "a:9092,b", ssl: {reject_unauthorized: true}}
  checkpoint: 1m
  delivery: at-least-once
  memory: 64MB
  workers: 3
  max_bad: 0.5%
  max_record_bytes: 3KB
tests:
  - name: one
    input: {plain: [{a: "1", n: 7}, {a: null, n: 2}], orders: []}
    expect: {copy: [{a: "1", n: 7}]}
`;
const SMALL = 'name: small\nsources:\n  t:\n    schema: a STRING\nsinks:\n  o:\n    sql: SELECT a FROM t\n';

/** What a file means, without the places where it says so. */
const meaning = (file: string): unknown => {
  const { name, description, sources, steps, sinks, settings, tests } = loadPipeline(p.path('pipelines', file), { env: {}, root: p.dir });
  return JSON.parse(JSON.stringify({ name, description, sources, steps, sinks, settings, tests }, (key, value: unknown) => (/span$|^places$/i.test(key) ? undefined : value))) as unknown;
};

describe('pipe config --resolved', () => {
  it.each([['rich', RICH], ['small', SMALL]])('of %s is a pipeline that means the same', async (name, text) => {
    p.write(`${name}.yaml`, text);
    const { out } = await p.ok(['config', name, '--resolved']);
    p.write('again.yaml', out);
    const [was, is] = [meaning(`${name}.yaml`), meaning('again.yaml')] as [{ settings: Record<string, unknown> }, { settings: Record<string, unknown> }];
    if (name === 'small') {
      // defaults that a file without them leaves open
      expect([was.settings['memory'], was.settings['workers'], was.settings['kafka']]).toEqual([null, null, { brokers: null, idPrefix: '', client: {} }]);
      expect([is.settings['workers'], out]).toEqual([null, expect.stringContaining('\n  workers: auto')]);
      for (const s of [was, is]) for (const key of ['memory', 'workers', 'kafka']) delete s.settings[key];
    } else {
      const client = (is.settings['kafka'] as { client: Record<string, unknown> }).client;
      expect(client).toEqual({ client_id: 'me', ssl: { reject_unauthorized: true } });
    }
    const filled = (x: unknown): unknown => JSON.parse(JSON.stringify(x).replaceAll('"onError":null', '"onError":"dead_letters"')) as unknown;
    expect(filled(is)).toEqual(filled(was));
    // and writing it out again changes nothing but where values come from
    const again = await p.ok(['config', 'again', '--resolved']);
    expect(again.out).toBe(out.replace(/ {2}# .*$/gm, ''));
    await p.ok(['validate', 'again']);
  });

  it('is data with --json, and follows the flags', async () => {
    p.write('small.yaml', SMALL);
    const { json: [all] } = await p.ok(['config', 'small', '--resolved', '--json', '--brokers', 'h:1,i', '--workers', '2', '--on-error', 'stop']);
    expect(all).toMatchObject({
      v: 1, pipeline: 'small',
      resolved: { sources: { t: { topic: 't', schema: { a: 'STRING' }, on_error: 'stop' } }, sinks: { o: { on_error: 'stop' } }, settings: { workers: 2, kafka: { brokers: ['h:1', 'i:9092'] } } },
    });
    expect((await p.ok(['config', 'small', '--resolved', '--workers', '2'])).out).toContain('\n  workers: 2  # --workers\n');
  });
});

describe('pipe config', () => {
  it('says of each value where it comes from', async () => {
    p.write('a.yaml', `${SMALL.replace('schema', 'topic: ${TOPIC}\n    schema').replace('  o:\n', '  o:\n    topic: out-${X:-none}-${Y}\n')}settings:\n  checkpoint: 1s\n  kafka:\n    brokers: ["\${HOST}:1", b:2]\n    id_prefix: \${PREFIX:-p-}\n`);
    p.write('.env', 'HOST=h\nTOPIC=nobody-sees-this\n');
    writeFileSync(p.path('.env'), 'Y=y\n');
    const v = await valuesOf(['a'], { TOPIC: 'in' });
    expect(v).toMatchObject({
      'log': ['Kafka', 'settings.kafka.brokers'],
      'data_dir': [p.path('.pipe'), 'default'],
      'sources.t.topic': ['in', '${TOPIC} of the environment'],
      'sources.t.start': ['earliest', 'default'],
      'sinks.o.topic': ['out-none-y', '${X} by its default in the file, ${Y} of .env'],
      'settings.checkpoint': ['1s', 'line 11'],
      'settings.kafka.brokers': ['h:1, b:2', '${HOST} of pipelines/.env'],
      'settings.kafka.id_prefix': ['p-', '${PREFIX} by its default in the file'],
      'settings.kafka.sasl': [null, 'default'],
      'settings.max_bad': [null, 'default'],
      'settings.delivery': ['exactly-once', 'default'],
    });
    expect(await valuesOf(['a', '--brokers', 'f:9'], { TOPIC: 'in', PIPE_BROKERS: 'e:9' })).toMatchObject({ 'log': ['Kafka', '--brokers'], 'settings.kafka.brokers': ['f:9', '--brokers'] });
    expect(await valuesOf(['a'], { TOPIC: 'in', PIPE_BROKERS: 'e:9', PIPE_DATA_DIR: '/data' })).toMatchObject({ 'settings.kafka.brokers': ['e:9', 'PIPE_BROKERS'], 'data_dir': ['/data', 'PIPE_DATA_DIR'], 'state_dir': ['/data/state', 'PIPE_DATA_DIR'] });
    expect(await valuesOf(['a', '--brokers', 'none', '--data-dir', 'd'], { TOPIC: 'in', PIPE_BROKERS: 'e:9' })).toMatchObject({ 'log': ['embedded log', '--brokers none'], 'settings.kafka.brokers': [null, 'default'], 'data_dir': [p.path('d'), '--data-dir'] });
  });

  it('names every setting that a file can have', async () => {
    p.write('small.yaml', SMALL);
    const keys = Object.keys(await valuesOf(['small']));
    const { properties } = (JSON.parse((await p.ok(['schema'])).out) as { properties: { settings: { properties: Record<string, { properties?: Record<string, unknown> }> } } }).properties.settings;
    // state is state_dir as long as no file names it, and state_ttl has no effect yet
    const wanted = Object.entries(properties).flatMap(([k, s]) => (s.properties === undefined ? [k] : Object.keys(s.properties).map(x => `${k}.${x}`))).filter(k => k !== 'state' && k !== 'state_ttl');
    expect(wanted.filter(k => !keys.some(have => have === `settings.${k}` || have.startsWith(`settings.${k}.`)))).toEqual([]);
  });

  it('prints lines of 80 columns, without escapes', async () => {
    p.write('rich.yaml', RICH);
    const { out } = await p.ok(['config', 'rich', '--data-dir', '/data']);
    expect(out.split('\n').filter(l => l.length > 80)).toEqual([]);
    expect(out).not.toContain('\u001b');
    expect(out).toMatch(/^log {2,}Kafka {2,}settings\.kafka\.brokers\n/);
  });

  it('takes one pipeline, and says what is wrong with it', async () => {
    p.write('small.yaml', SMALL);
    p.write('bad.yaml', SMALL.replace('SELECT a', 'SELECT b').replace('small', 'bad'));
    expect((await p.call(['config', 'pipelines/'])).problem?.exit).toBe(3);
    expect((await p.call(['config', 'bad'])).problem).toMatchObject({ code: 'user.sql.unknown_column' });
    expect((await p.call(['config'])).problem).toMatchObject({ code: 'user.usage.missing_argument' });
  });
});

it('24 secrets, of variables and of the file, are in nothing that it prints', async () => {
  const env = canaryEnv(12);
  const file = (name: string, value: (i: number) => string): string => `name: ${name}
description: "see https://${value(0)}@host/x"
sources:
  t:
    schema: a STRING
    create: {config: {url: "http://u:${value(1)}@host"}}
sinks:
  o:
    sql: SELECT a, 'ftp://u:${canary(2)}@host' AS u FROM t
settings:
  kafka:
    client_id: "${value(3).startsWith('$') ? value(3) : 'me'}"
    ssl: {ca: "${value(4)}", cert: "${value(5)}", key: "${value(6)}", passphrase: "${value(7)}"}
    sasl: {mechanism: plain, username: "${value(8)}", password: "${value(9)}${value(10)}"}
tests:
  - name: one
    input: {t: [{a: "http://x:${value(11)}@y"}]}
    expect: {o: []}
`;
  p.write('ofenv.yaml', file('ofenv', i => `\${S${i}}`));
  p.write('offile.yaml', file('offile', i => canary(i + 12)));
  const outputs: string[] = [];
  for (const f of ['ofenv', 'offile']) for (const flags of [[], ['--json'], ['--resolved'], ['--resolved', '--json']]) {
    const { out, err } = await p.ok(['config', f, ...flags], { env });
    outputs.push(out, err);
    expect(out).toContain('***');
  }
  const refused = await p.call(['config', 'offile'], { env: { PIPE_BROKERS: `user:${canary(99)}@host:9092` } });
  outputs.push(refused.problem?.message as string, refused.problem?.hint ?? '');
  expect(refused.problem).toMatchObject({ code: 'user.usage.bad_value', message: 'PIPE_BROKERS takes host:port,host:port or none, not "***@host:9092"' });
  expect(outputs.join('')).toContain('${S9} of the environment');
  const leaks = outputs.flatMap(o => [...o.matchAll(/canary-\d+-x7Kq/g)].map(m => m[0]));
  process.stderr.write(`pipe config: canaries=24 leaks=${leaks.length}\n`);
  expect(leaks).toEqual([]);
});

it('what is written as YAML is read as it was', () => {
  const origin = fc.constantFrom<Origin>({ from: 'file', detail: 'line 1' }, { from: 'default', detail: 'default' });
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(' ', '\n', '\t', ':', '#', '-', "'", '"', 'a', '0', '\\', '{', '|', '\r', '\u2028') }), fc.constantFrom('true', 'no', '~', '1e5', '0x1f', '.5', '-', '', '2024-01-01', 'null', '5s', '5', 'a: b', 'a #b', '1_000'));
  const { node } = fc.letrec<{ node: Written }>(tie => ({
    node: fc.oneof({ maxDepth: 3 },
      fc.record({ k: fc.constant('leaf' as const), value: fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)), origin }),
      fc.dictionary(text.filter(k => k !== '__proto__'), tie('node'), { maxKeys: 4 }).map((d): Branch => ({ k: 'map', entries: Object.entries(d) })),
      fc.array(tie('node'), { maxLength: 4 }).map((items): Branch => ({ k: 'list', entries: items.map((v, i) => [String(i), v]) })),
    ),
  }));
  fc.assert(fc.property(node.filter((n): n is Branch => n.k === 'map' && n.entries.length > 0), n => {
    expect(parse(writeYaml(n), { version: '1.2', uniqueKeys: true })).toEqual(plainTree(n));
  }), { numRuns: 500 });
});
