import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseCommandLine } from '../../src/cli/args.ts';
import type { Command } from '../../src/cli/command.ts';
import { commandHelp } from '../../src/cli/help.ts';
import { recordCount } from '../../src/numbers.ts';
import { cutShort } from '../../src/cli/topics-send.ts';
import { topicsCreate, topicsDescribe, topicsLs, topicsSend, topicsTail } from '../../src/cli/topics.ts';
import { openEmbeddedLog } from '../../src/connectors/log/log.ts';
import { PipeError } from '../../src/errors.ts';
import { block } from '../log/conformance.ts';
import { fakeIo, type FakeIo } from './fake-io.ts';

let dir: string;
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'pipe-topics-')); });
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Result {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  readonly problem: PipeError | null;
}

async function run(command: Command, argv: readonly string[], io: FakeIo = fakeIo({ cwd: dir })): Promise<Result> {
  try {
    return { exit: await command.run(parseCommandLine(command, argv), io), out: io.out.text, err: io.err.text, problem: null };
  } catch (error) {
    if (!(error instanceof PipeError)) throw error;
    return { exit: error.exit, out: io.out.text, err: io.err.text, problem: error };
  }
}

const send = (input: string, ...argv: string[]): Promise<Result> => run(topicsSend, argv, fakeIo({ cwd: dir, input }));
const all = async (topic: string): Promise<Record<string, unknown>[]> => {
  const { out } = await run(topicsTail, [topic, '--from-beginning', '--until-end', '--json']);
  return out.trimEnd().split('\n').filter(l => l !== '').map(l => JSON.parse(l) as Record<string, unknown>);
};

describe('topics ls and describe', () => {
  it('say where topics would be when there are none, and make nothing', async () => {
    expect(await run(topicsLs, [])).toMatchObject({ exit: 0, out: '', err: 'no topics on the embedded log (no broker set); make one: pipe topics create NAME\n' });
    expect((await run(topicsLs, ['--json'])).out).toBe('[]\n');
    expect(readdirSync(dir)).toEqual([]);
  });

  it('show partitions, records and bytes', async () => {
    await run(topicsCreate, ['b', '--partitions', '2']);
    await run(topicsCreate, ['a']);
    await send('one\ntwo\nthree\n', 'b');
    const ls = await run(topicsLs, []);
    expect(ls.out.split('\n').slice(0, 2)).toEqual(['TOPIC  PARTITIONS  RECORDS  BYTES', 'a               3        0    0 B']);
    expect(ls.out).toMatch(/\nb {15}2 {8}3 {2}\d+ B\n$/);
    const b = JSON.parse((await run(topicsDescribe, ['b', '--json'])).out) as { bytes: number; partitions: { bytes: number }[] };
    expect(b).toEqual({
      name: 'b', records: 3, bytes: b.bytes,
      partitions: [{ partition: 0, begin: 0, end: 2, records: 2, bytes: b.partitions[0]?.bytes }, { partition: 1, begin: 0, end: 1, records: 1, bytes: b.partitions[1]?.bytes }],
    });
    expect(b.bytes).toBe(b.partitions.reduce((n, p) => n + p.bytes, 0));
    expect(JSON.parse((await run(topicsLs, ['--json'])).out)).toEqual([{ name: 'a', records: 0, bytes: 0, partitions: [0, 1, 2].map(partition => ({ partition, begin: 0, end: 0, records: 0, bytes: 0 })) }, b]);
    const text = (await run(topicsDescribe, ['b'])).out.split('\n');
    expect(text[0]).toMatch(/^b {2}2 partitions · 3 records · \d+ B · embedded log \(no broker set\)$/);
    expect(text[1]).toMatch(/^PARTITION {2}BEGIN {2}END {2}RECORDS +BYTES$/);
    expect(text[2]).toMatch(/^0 {14}0 {4}2 {8}2 +\d+ B$/);
  });

  it('name a topic that may be meant', async () => {
    await run(topicsCreate, ['transactions']);
    expect(await run(topicsDescribe, ['transaction'])).toMatchObject({
      exit: 11,
      problem: {
        code: 'system.source.topic_missing', message: 'topic "transaction" does not exist on the embedded log (no broker set)',
        hint: 'did you mean "transactions" (3 partitions, 0 records)? or create it: pipe topics create transaction --partitions 3',
      },
    });
    expect((await run(topicsTail, ['transaction'])).problem?.code).toBe('system.source.topic_missing');
  });

  it('take one topic, or none', async () => {
    expect(await run(topicsDescribe, [])).toMatchObject({ exit: 2, problem: { message: 'pipe topics describe needs the name of a topic' } });
    expect(await run(topicsDescribe, ['a', 'b'])).toMatchObject({ exit: 2, problem: { message: 'pipe topics describe takes one topic, not also "b"' } });
    expect(await run(topicsLs, ['a'])).toMatchObject({ exit: 2 });
  });
});

describe('topics create', () => {
  it('is well with a topic that is alike, and not with another one', async () => {
    expect(await run(topicsCreate, ['t', '--partitions', '2'])).toMatchObject({ exit: 0, out: '', err: 'topic t made (2 partitions) on the embedded log (no broker set)\n' });
    expect(await run(topicsCreate, ['t', '--partitions', '2'])).toMatchObject({ exit: 0, err: 'topic t exists already (2 partitions) on the embedded log (no broker set)\n' });
    expect((await run(topicsCreate, ['t'])).exit).toBe(0);
    expect(await run(topicsCreate, ['t', '--partitions', '5'])).toMatchObject({
      exit: 11, problem: { code: 'system.source.topic_exists_otherwise', message: 'topic "t" exists on the embedded log (no broker set) with 2 partitions, not 5' },
    });
    expect((await run(topicsCreate, ['u', '--partitions', '1', '--json'])).out).toBe('{"name":"u","partitions":1,"created":true}\n');
  });

  it('checks what it is given', async () => {
    expect((await run(topicsCreate, ['a b'])).problem?.code).toBe('user.usage.bad_value');
    expect((await run(topicsCreate, ['t', '--partitions', '0'])).exit).toBe(2);
    expect((await run(topicsCreate, ['t', '--config', 'x'])).problem?.message).toBe('--config takes KEY=VALUE, not "x"');
    expect((await run(topicsCreate, ['t', '--config', 'retention.ms=1d'])).problem?.code).toBe('user.usage.bad_value');
  });

  it('works where the data is', async () => {
    await run(topicsCreate, ['t', '--data-dir', 'here']);
    expect(readdirSync(join(dir, 'here'))).toEqual(['topics.db']);
    expect((await run(topicsLs, ['--json'], fakeIo({ cwd: dir, env: { PIPE_DATA_DIR: join(dir, 'here') } }))).out).toContain('"t"');
  });

  it.runIf(process.platform === 'linux')('ends where no folder can be made', async () => {
    // mkdirSync's own recursive never ends here
    const { problem } = await run(topicsCreate, ['t', '--data-dir', '/proc/none/here']);
    expect([problem?.exit, problem?.code, problem?.message]).toEqual([30, 'system.resource.disk', expect.stringContaining('the data folder /proc/none/here cannot be made')]);
  });
});

describe('topics send', () => {
  it('sends lines as they are to a topic that it makes', async () => {
    expect(await send('a\n\n{"x": 1}\r\nlast', 'new')).toMatchObject({ exit: 0, out: '', err: 'topic new made (3 partitions) on the embedded log (no broker set)\n4 records sent to new\n' });
    expect((await all('new')).map(r => [r['partition'], r['offset'], r['value']]).sort()).toEqual([[0, 0, 'a'], [0, 1, 'last'], [1, 0, ''], [2, 0, '{"x": 1}\r']].sort());
    expect((await send('next\n', 'new', '--json')).err).toBe('{"v":1,"topic":"new","records":1}\n');
    expect((await all('new')).find(r => r['value'] === 'next')?.['partition']).toBe(1);
    expect((await send('', 'new', '--quiet')).err).toBe('');
  });

  it('takes the key from a flag, a field or the line', async () => {
    await run(topicsCreate, ['t', '--partitions', '1']);
    await send('v1\n', 't', '--key', 'k1', '--header', 'a=1', '--header', 'b=x=y');
    await send('{"a":{"account":1},"account":"AC\\u0043"}\n{"account":12.50}\n{"account":null}\n{"b":1}\n{"account":true}\n{"account":[1, 2]}\n', 't', '--key-field', 'account');
    await send('k2\tv2\nk3\tv\t3\n', 't', '--key-sep', '\\t');
    await send('k4::v4\n', 't', '--key-sep', '::');
    expect((await all('t')).map(r => [r['key'], r['value'], r['headers']])).toEqual([
      ['k1', 'v1', [{ key: 'a', value: '1' }, { key: 'b', value: 'x=y' }]],
      ['ACC', '{"a":{"account":1},"account":"AC\\u0043"}', []], ['12.50', '{"account":12.50}', []], [null, '{"account":null}', []], [null, '{"b":1}', []],
      ['true', '{"account":true}', []], ['[1, 2]', '{"account":[1, 2]}', []],
      ['k2', 'v2', []], ['k3', 'v\t3', []], ['k4', 'v4', []],
    ]);
  });

  it('stops at a line that has no key, after the lines before it', async () => {
    expect(await send('{"a":1}\n{"a":2}\n{"a":\n{"a":4}\n', 't', '--key-field', 'a')).toMatchObject({
      exit: 13, problem: { code: 'user.data.decode', message: 'line 3 is no JSON object, so it has no field "a" for the key; 2 records before it were sent', hint: 'leave --key-field out to send lines as they are; the rest: tail -n +3 once line 3 is mended, tail -n +4 without it' },
    });
    expect((await all('t')).map(r => r['key']).sort()).toEqual(['1', '2']);
    expect((await send('plain\n', 't', '--key-sep', '=')).problem?.message).toBe('line 1 has no "=" between key and value; nothing was sent');
    expect((await send('[1]\n', 't', '--key-field', 'a')).problem?.code).toBe('user.data.decode');
  });

  it('skips blank lines, which have no field for a key, and says so', async () => {
    expect(await send('{"a":1}\n\n  \r\n{"a":2}\n\n', 't', '--key-field', 'a')).toMatchObject({ exit: 0, err: expect.stringMatching(/\n3 blank lines skipped: no field for the key\n2 records sent to t\n$/) as string });
    expect((await all('t')).map(r => r['key']).sort()).toEqual(['1', '2']);
    expect((await send('{"a":1}\n\nno JSON\n', 't', '--key-field', 'a')).problem).toMatchObject({ message: expect.stringContaining('line 3 is no JSON object') as string, hint: expect.stringContaining('tail -n +3 ') as string });
  });

  it('makes no topic where nothing is sent', async () => {
    expect(await send('', 'nothing')).toMatchObject({ exit: 0, err: '0 records sent to nothing\n' });
    expect((await send('no JSON\n', 'nothing', '--key-field', 'a')).exit).toBe(13);
    expect((await run(topicsLs, ['--json'])).out).toBe('[]\n');
  });

  it('says what had gone when the log fails', () => {
    const away = new PipeError('system.sink.unreachable', 'no broker answers', { hint: 'start one' });
    expect(cutShort(away, 0)).toBe(away);
    expect(cutShort(away, 1)).toMatchObject({ code: away.code, message: 'no broker answers; 1 record before was sent', hint: 'start one' });
    expect(cutShort(away, 4000, 'send the rest')).toMatchObject({ message: 'no broker answers; 4,000 records before were sent', hint: 'send the rest' });
    const bug = new TypeError('x');
    expect(cutShort(bug, 4)).toBe(bug);
  });

  it('reads a file', async () => {
    const lines = Array.from({ length: 25_000 }, (_, i) => `{"id":${i}}`);
    writeFileSync(join(dir, 'data.jsonl'), lines.join('\n'));
    expect(await run(topicsSend, ['t', '--file', 'data.jsonl', '--partition', '1'])).toMatchObject({ exit: 0 });
    const got = await all('t');
    expect(got.map(r => r['value'])).toEqual(lines);
    expect(new Set(got.map(r => r['partition']))).toEqual(new Set([1]));
    expect((await run(topicsSend, ['t', '--file', 'nope'])).problem?.message).toBe('--file nope: there is no such file');
    expect((await run(topicsSend, ['t', '--file', '.'])).problem?.message).toBe('--file .: it is a folder');
  });

  it('checks its flags before it makes a topic', async () => {
    for (const [argv, message] of [
      [['t', '--key', 'a', '--key-sep', ':'], '--key and --key-sep exclude each other'],
      [['t', '--header', 'x'], '--header takes KEY=VALUE, not "x"'],
      [['t', '--key-sep', ''], '--key-sep takes the text between key and value, such as \'\\t\''],
    ] as const) expect(await run(topicsSend, argv)).toMatchObject({ exit: 2, problem: { message } });
    expect(readdirSync(dir)).toEqual([]);
    expect((await send('x', 't', '--partition', '3')).problem?.message).toBe('--partition is one of 0 to 2, the partitions of "t", not "3"');
  });

  it('sends what is typed without waiting for more, and ends well at Ctrl-C', async () => {
    await run(topicsCreate, ['t', '--partitions', '1']);
    const input = new PassThrough();
    const stop = new AbortController();
    const sending = run(topicsSend, ['t'], { ...fakeIo({ cwd: dir, signal: stop.signal }), in: input });
    input.write('first\nsec');
    await vi.waitFor(async () => expect(await all('t')).toHaveLength(1));
    input.write('ond\nnot complete');
    await vi.waitFor(async () => expect(await all('t')).toHaveLength(2));
    stop.abort();
    expect(await sending).toMatchObject({ exit: 0, err: '2 records sent to t\n' });
    expect((await all('t')).map(r => r['value'])).toEqual(['first', 'second']);
  });
});

describe('topics tail', () => {
  beforeEach(async () => {
    await run(topicsCreate, ['t', '--partitions', '2']);
  });

  it('prints new records only, as bytes, until it has enough', async () => {
    await send('old\n', 't');
    const tailing = run(topicsTail, ['t', '--count', '3']);
    // it is at the end only once it runs: what comes before is not its matter
    const feed = setInterval(() => { void send('new\n', 't', '--quiet'); }, 30);
    const { exit, out, err } = await tailing;
    clearInterval(feed);
    expect([exit, out, err]).toEqual([0, 'new\nnew\nnew\n', '']);
  });

  it('waits on a topic without records, and ends well at Ctrl-C', async () => {
    const stop = new AbortController();
    const io = fakeIo({ cwd: dir, signal: stop.signal });
    const tailing = run(topicsTail, ['t', '--from-beginning'], io);
    await send('one\ntwo\n', 't');
    await vi.waitFor(() => expect(io.out.text.split('\n').sort()).toEqual(['', 'one', 'two']));
    stop.abort();
    expect((await tailing).exit).toBe(0);
  });

  it('prints what is there', async () => {
    await send(Array.from({ length: 10 }, (_, i) => `${i}\n`).join(''), 't');
    const until = async (...argv: string[]): Promise<string[]> => (await run(topicsTail, ['t', '--until-end', ...argv])).out.trimEnd().split('\n');
    expect((await until('--from-beginning')).sort()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect((await until('-n', '4')).sort()).toEqual(['6', '7', '8', '9']);
    expect(await until('-n', '4', '--partition', '1')).toEqual(['3', '5', '7', '9']);
    expect(await until('--from-beginning', '--partition', '0', '--count', '2')).toEqual(['0', '2']);
    expect(await until('-n', '0')).toEqual(['']);
    expect((await until('-n', '100')).length).toBe(10);
    expect(await run(topicsTail, ['t', '--until-end'])).toMatchObject({ exit: 0, out: '', err: 'nothing to print: --until-end goes with --from-beginning or -n\n' });
    expect(await run(topicsTail, ['t', '-n', '3', '--from-beginning'])).toMatchObject({ exit: 2, problem: { message: '--from-beginning and --lines exclude each other' } });
    expect(await run(topicsTail, ['t', '--partition', '2'])).toMatchObject({ exit: 2 });
  });

  it('gives the last records in the order of their time, then new ones', async () => {
    for (const v of ['a', 'b', 'c', 'd']) {
      await send(`${v}\n`, 't');
      const t = Date.now();
      while (Date.now() === t) await new Promise(done => { setTimeout(done, 1); });
    }
    const io = fakeIo({ cwd: dir });
    const tailing = run(topicsTail, ['t', '-n', '3', '--count', '4'], io);
    await vi.waitFor(() => expect(io.out.text).toBe('b\nc\nd\n'));
    await send('e\n', 't');
    expect((await tailing).out).toBe('b\nc\nd\ne\n');
  });

  it('has every part of a record with --json', async () => {
    const log = openEmbeddedLog({ path: join(dir, '.pipe', 'topics.db'), notices: { warn: () => undefined, info: () => undefined } });
    const before = Date.now();
    await log.append('t', [
      { key: Buffer.from('é'), value: Buffer.from('a\n\u001b[31m'), headers: [{ key: 'h', value: null }, { key: 'b', value: Buffer.from([0xff]) }], partition: 1, timestamp: null },
      { key: null, value: null, headers: [], partition: 1, timestamp: null },
      { key: Buffer.from([0xc3]), value: Buffer.from([0xff, 0x00]), headers: [], partition: 1, timestamp: null },
    ]);
    await log.close();
    const got = await all('t');
    expect(got.map(({ timestamp, ...rest }) => [typeof timestamp, rest])).toEqual([
      ['number', { topic: 't', partition: 1, offset: 0, key: 'é', value: 'a\n\u001b[31m', headers: [{ key: 'h', value: null }, { key: 'b', value: { base64: '/w==' } }] }],
      ['number', { topic: 't', partition: 1, offset: 1, key: null, value: null, headers: [] }],
      ['number', { topic: 't', partition: 1, offset: 2, key: { base64: 'ww==' }, value: { base64: '/wA=' }, headers: [] }],
    ]);
    expect(Object.keys(got[0] as object)).toEqual(['topic', 'partition', 'offset', 'timestamp', 'key', 'value', 'headers']);
    expect(got.every(r => (r['timestamp'] as number) >= before)).toBe(true);
    const io = fakeIo({ cwd: dir });
    io.out.isTTY = true;
    await run(topicsTail, ['t', '--from-beginning', '--count', '1'], io);
    expect(io.out.text).not.toContain('\u001b');
  });

  it('sees an epoch of a pipeline at once', async () => {
    const log = openEmbeddedLog({ path: join(dir, '.pipe', 'topics.db'), notices: { warn: () => undefined, info: () => undefined } });
    const d = log.delivery({ pipeline: 'p', idPrefix: '', stateId: 's', ownerId: 'o', exactlyOnce: true, takeOver: false });
    await d.recover(0);
    const tailing = run(topicsTail, ['t', '--from-beginning', '--count', '2']);
    await d.commit({ number: 1, blocks: [block('t', 0, ['x']), block('t', 1, ['y'])], offsets: new Map() });
    expect((await tailing).out.split('\n').sort()).toEqual(['', 'x', 'y']);
    await log.close();
  });
});

describe('help', () => {
  it('says why a count on Kafka is an upper bound', () => {
    expect([recordCount('embedded', 1664), recordCount('kafka', 1664), recordCount('kafka', 0)]).toEqual(['1,664', '≤ 1,664', '0']);
    for (const c of [topicsLs, topicsDescribe]) expect(commandHelp(c)).toMatch(/\n≤ before a count, on Kafka: offsets count the markers of transactions and aborted records, too/);
  });

  it('begins with examples', () => {
    for (const c of [topicsLs, topicsDescribe, topicsCreate, topicsTail, topicsSend]) {
      expect(commandHelp(c)).toMatch(new RegExp(`^[^\n]+\n\nexamples\n  .*pipe ${c.name}`));
      expect(c.examples.every(([line]) => line.includes(`pipe ${c.name}`))).toBe(true);
    }
  });
});
