import { rmSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codes } from '../../src/errors.ts';
import { meaningOf } from '../../src/engine/letters/codes.ts';
import { lockState } from '../../src/state/lock.ts';
import { PipeProject } from './pipe.ts';

let p: PipeProject;
beforeEach(() => { p = new PipeProject(); });
afterEach(() => { p.remove(); });

const STATE = '.pipe/state/sums@embedded.db';
const pipeline = (o: { v?: string; onError?: string; name?: string; more?: string } = {}): string => `name: ${o.name ?? 'sums'}
sources:
  s: {schema: "k STRING, v ${o.v ?? 'INT'}, at BIGINT", event_time: {from: at, unit: ms, delay: 0s}${o.onError === undefined ? '' : `, on_error: ${o.onError}`}}
sinks:
  out:
    sql: SELECT k, SUM(v) AS total, window_start FROM s GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)
${o.more ?? ''}`;
const T = 1_704_110_400_000;
const row = (k: string, v: unknown, at = T): string => JSON.stringify({ k, v, at });
const run = (...flags: string[]): ReturnType<PipeProject['ok']> => p.ok(['run', 'sums', '--until-end', '--no-print', ...flags]);
/** What could act on a terminal. */
const ACTING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

describe('pipe dlq', () => {
  it('says of every code of data what it means', () => {
    const kept = codes.filter(c => c.startsWith('user.data.') && !['user.data.max_bad', 'user.data.time_unit', 'user.data.many_bad'].includes(c));
    expect(kept.filter(c => meaningOf(c) === null)).toEqual([]);
    expect(['constructor', 'user.data.max_bad'].map(meaningOf)).toEqual([null, null]);
  });

  it('lists by code with counts, times, source and an example; flags narrow it', async () => {
    p.write('sums.yaml', pipeline());
    await p.ok(['topics', 'create', 's', '--partitions', '1']);
    expect((await p.call(['dlq', 'ls', 'sums'])).problem).toMatchObject({ code: 'user.usage.bad_value', message: expect.stringContaining('has no state') as string });
    await p.send('s', [row('a', 1), 'nope', row('a', 'many'), 'no', row('b', 2)]);
    await run();
    const ls = await p.ok(['dlq', 'ls', 'sums']);
    const [head, first, example, second] = ls.out.split('\n');
    expect(head).toMatch(/^COUNT {2}CODE {14}SOURCE {2}FIRST \(UTC\) +LAST \(UTC\)$/);
    expect(first).toMatch(/^ {4}2 {2}user\.data\.decode {2}s {7}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}\d{4}-/);
    expect(example).toBe('       #3  s-0-3  not JSON: unexpected "o" at byte 1');
    expect(second).toMatch(/^ {4}1 {2}user\.data\.type/);
    expect(ls.err).toBe('3 dead letters; pipe dlq show sums ID shows all of one\n');
    const json = (await p.ok(['dlq', 'ls', 'sums', '--json'])).json;
    expect(json.map(l => [l['id'], l['code'], l['topic'], l['partition'], l['offset'], l['value'], l['size']])).toEqual([
      ['1', 'user.data.decode', 's', 0, 1, 'nope', 4], ['2', 'user.data.type', 's', 0, 2, row('a', 'many'), row('a', 'many').length], ['3', 'user.data.decode', 's', 0, 3, 'no', 2],
    ]);
    const ids = async (...flags: string[]): Promise<unknown[]> => (await p.ok(['dlq', 'ls', 'sums', '--json', ...flags])).json.map(l => l['id']);
    expect(await ids('--code', 'user.data.type')).toEqual(['2']);
    expect(await ids('--code', 'user.data')).toEqual(['1', '2', '3']);
    expect(await ids('--code', 'user.data.dec')).toEqual([]);
    expect(await ids('--source', 's', '--limit', '1')).toEqual(['3']);
    expect(await ids('--since', '1h')).toEqual(['1', '2', '3']);
    expect(await ids('--since', '2999-01-01')).toEqual([]);
    expect((await p.call(['dlq', 'ls', 'sums', '--source', 'x'])).problem).toMatchObject({ code: 'user.usage.bad_value', hint: 'sources: s' });
    expect((await p.call(['dlq', 'ls', 'sums', '--since', 'soon'])).exit).toBe(2);
  });

  it('lists those of all pipelines where none is named: of the project, and of other files that have run', async () => {
    expect((await p.ok(['dlq', 'ls'])).err).toBe('no dead letters\n');
    expect((await p.ok(['state', 'ls'])).err).toBe(`no saved state in ${p.path('.pipe')}\n`);
    p.write('sums.yaml', pipeline());
    p.write('never.yaml', pipeline({ name: 'never' }));
    writeFileSync(p.path('apart.yaml'), pipeline({ name: 'apart', onError: '{topic: bad}' }));
    writeFileSync(p.path('gone.yaml'), pipeline({ name: 'gone' }));
    await p.ok(['topics', 'create', 's', '--partitions', '1']);
    await p.send('s', [row('a', 1), 'nope', 'no', row('a', 'many')]);
    for (const name of ['sums', 'apart.yaml', 'gone.yaml']) await p.ok(['run', name, '--until-end', '--no-print']);
    rmSync(p.path('gone.yaml'));
    const ls = await p.ok(['dlq', 'ls']);
    expect(ls.out.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '<time>').split('\n').map(l => l.replace(/ {2,}/g, '  ').trimEnd())).toEqual([
      'PIPELINE  COUNT  CODE  SOURCE  FIRST (UTC)  LAST (UTC)',
      'sums  2  user.data.decode  s  <time>  <time>', '  #2  s-0-2  not JSON: unexpected "o" at byte 1', 'sums  1  user.data.type  s  <time>  <time>', '  #3  s-0-3  v: "many" is not INT',
      'apart  2  user.data.decode  s  <time>  <time>', expect.stringMatching(/^ {2}bad-\d-1 {2}s-0-2 {2}not JSON/), 'apart  1  user.data.type  s  <time>  <time>', expect.stringMatching(/^ {2}bad-\d-2 {2}s-0-3 {2}v: /), '',
    ]);
    const left = `gone  is left out: its file ${p.path('gone.yaml')} is gone; - in place of a name takes its text on stdin\n`;
    expect(ls.err).toBe(`${left}6 dead letters; pipe dlq show PIPELINE ID shows all of one\n`);
    const json = (await p.ok(['dlq', 'ls', '--json', '--code', 'user.data.decode', '--limit', '1'])).json;
    expect(json.map(l => [l['pipeline'], l['code'], l['offset']])).toEqual([['sums', 'user.data.decode', 2], ['apart', 'user.data.decode', 2]]);
    expect((await p.ok(['dlq', 'ls', '--code', 'user.data.late'])).err).toBe(`${left}no dead letters of the others like that\n`);
    expect((await p.call(['dlq', 'ls', '--source', 's'])).problem).toMatchObject({ exit: 2, hint: 'pipe dlq ls PIPELINE --source NAME' });
    const states = await p.ok(['state', 'ls', '--json']);
    expect([...new Set(states.json.map(t => t['pipeline']))]).toEqual(['sums', 'apart']);
    expect((await p.ok(['state', 'ls'])).err).toBe(left);
    // a typo in one of them hides none of the others
    writeFileSync(p.path('apart.yaml'), pipeline({ name: 'apart' }).replace('SELECT', 'SELEC'));
    for (const command of ['dlq', 'state']) {
      const listed = await p.ok([command, 'ls']);
      expect(listed.out).toContain('sums');
      expect(listed.out).not.toContain('apart');
      expect(listed.err).toMatch(/apart\.yaml {2}is left out: unexpected "SELEC".* \(pipe validate \S*apart\.yaml\)\n/);
    }
    expect(states.json.find(t => t['table'] === 'dead_letters')).toMatchObject({ pipeline: 'sums', log: 'embedded', rows: 3 });
  });

  it('takes the names that it lists, of files elsewhere too, and says of one whose file is gone what to give', async () => {
    p.write('other-name.yaml', pipeline());
    writeFileSync(p.path('apart.yaml'), pipeline({ name: 'apart' }));
    writeFileSync(p.path('gone.yaml'), pipeline({ name: 'gone' }));
    await p.ok(['topics', 'create', 's', '--partitions', '1']);
    await p.send('s', ['nope']);
    for (const file of ['other-name', 'apart.yaml', 'gone.yaml']) await p.ok(['run', file, '--until-end', '--no-print']);
    rmSync(p.path('gone.yaml'));
    const names = (await p.ok(['dlq', 'ls'])).out.split('\n').slice(1).flatMap(l => /^\w+/.exec(l)?.[0] ?? []);
    expect(names).toEqual(['sums', 'apart']);
    for (const name of names) {
      expect((await p.ok(['dlq', 'ls', name])).out).toContain('user.data.decode');
      expect((await p.ok(['dlq', 'show', name, '1'])).out).toContain(`dead letter 1 of ${name}\n`);
      expect((await p.ok(['state', 'ls', name])).out).toContain(name);
      expect((await p.ok(['state', 'query', name, 'SELECT count(*) AS n FROM dead_letters', '--json'])).json).toEqual([{ n: 1 }]);
      await p.ok(['state', 'backup', name, `${name}.db`]);
      await p.ok(['state', 'restore', name, `${name}.db`]);
      expect((await p.ok(['dlq', 'drop', name, '--all', '--dry-run'])).err).toBe(`${name}  1 dead letter would be dropped\n`);
      expect((await p.ok(['dlq', 'replay', name, '--all', '--dry-run'])).err).toBe(`${name}  1 record would be sent to s\n`);
      expect((await p.ok(['state', 'reset', name, '--dry-run'])).err).toContain(`${name}  would delete `);
    }
    const gone = await p.call(['state', 'reset', 'gone', '--dry-run']);
    expect(gone.problem).toMatchObject({ code: 'user.config.file_missing', message: `pipeline "gone" has run here, and its file ${p.path('gone.yaml')} is gone`, hint: 'give the file that holds it, or - with its text on stdin; its state is .pipe/state/gone@embedded.db' });
    for (const argv of [['dlq', 'drop', '--dry-run'], ['dlq', 'drop'], ['dlq', 'replay', '--all']]) {
      expect((await p.call(argv)).problem).toMatchObject({ exit: 2, message: `pipe dlq ${argv[1]} needs a pipeline`, hint: 'which? apart, sums; pipe dlq ls lists their dead letters' });
    }
    expect((await p.call(['state', 'reset'])).problem).toMatchObject({ exit: 2, hint: 'which? apart, sums; pipe state ls lists what is saved' });
    // the file holds another one by now
    writeFileSync(p.path('apart.yaml'), pipeline({ name: 'second' }));
    expect((await p.call(['dlq', 'ls', 'apart'])).problem).toMatchObject({ code: 'user.config.file_missing', message: 'apart.yaml, from which "apart" ran, holds pipeline "second" by now' });
    // run takes files, and not any name that was here once
    expect((await p.call(['run', 'second'])).problem).toMatchObject({ code: 'user.config.file_missing' });
    expect((await p.call(['dlq', 'ls', 'nowhere'])).problem).toMatchObject({ code: 'user.config.file_missing', message: expect.stringContaining('there is no pipeline "nowhere"') as string });
  });

  it('shows bytes, cause and place, and lets nothing of the data act on a terminal', async () => {
    p.write('sums.yaml', pipeline({ more: "  ratios:\n    sql: |\n      SELECT k,\n             100 / v AS ratio\n      FROM s\n" }));
    await p.ok(['topics', 'create', 's', '--partitions', '1']);
    const evil = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202eright\rleft';
    await p.send('s', [row('ok', 0), `{"k":"${evil}","v":"x","at":${T}}`, evil], '--key', evil);
    await run();
    const zero = await p.ok(['dlq', 'show', 'sums', 's-0-0']);
    expect(zero.out).toContain('user.data.division_by_zero: a division by zero');
    expect(zero.out).toMatch(/place {5}pipelines\/sums\.yaml:10:14\n.*SELECT k,\n {4}> {2}10 \| {14}100 \/ v AS ratio\n {10}\| {14}\^\n/);
    for (const argv of [['ls', 'sums', '--limit', '9'], ['ls', 'sums', '--json'], ['show', 'sums', '2'], ['show', 'sums', '3'], ['show', 'sums', '3', '--json']]) {
      const { out, err } = await p.ok(['dlq', ...argv]);
      expect(out.length).toBeGreaterThan(50);
      expect([argv, ACTING.exec(out), ACTING.exec(err)]).toEqual([argv, null, null]);
    }
    expect((await p.ok(['dlq', 'show', 'sums', 's-0-2', '--json'])).json[0]).toMatchObject({ key: evil, value: evil, code: 'user.data.decode' });
    expect((await p.ok(['dlq', 'show', 'sums', 's-0-2', '--raw'])).out).toBe(evil);
    expect((await p.ok(['dlq', 'show', 'sums', 's-0-2'])).out).toContain('\\u001b]0;owned\\u0007\\u001b[2J\\u009b31m\\u202eright\\u000dleft');
    expect((await p.call(['dlq', 'show', 'sums', '99'])).problem).toMatchObject({ code: 'user.usage.bad_value' });
    // the file no longer holds the place
    p.write('sums.yaml', pipeline());
    expect((await p.ok(['dlq', 'show', 'sums', 's-0-0'])).out).not.toContain('^');
  });

  it('shows bytes that are no text as a dump', async () => {
    p.write('sums.yaml', pipeline());
    await p.ok(['topics', 'create', 's', '--partitions', '1']);
    await p.send('s', ['x']);
    await run();
    p.sql(STATE, "UPDATE dead_letters SET value = x'fffe1b5b324a0041', size = 8");
    expect((await p.ok(['dlq', 'show', 'sums', '1'])).out).toContain('8 bytes, not UTF-8\n    00000000  ff fe 1b 5b 32 4a 00 41                          ...[2J.A\n');
  });

  it('replays what a mended file reads, each record once, with its key and partition', async () => {
    p.write('sums.yaml', pipeline());
    await p.ok(['topics', 'create', 's', '--partitions', '3']);
    await p.send('s', [row('a', '1.5', T), row('b', 2)], '--key', 'same');
    await p.send('s', [row('c', '2.5', T + 10_000)], '--partition', '2');
    await run();
    expect((await p.ok(['dlq', 'replay', 'sums', '--all', '--dry-run', '--json'])).json).toEqual([
      { v: 1, pipeline: 'sums', log: 'embedded', dry_run: true, records: 2, letters: 2, topics: { s: 2 }, late: 0, refused: { cut: 0, not_kept: 0, no_record: 0, other_source: 0 } },
    ]);
    expect((await p.records('s')).length).toBe(3);
    expect((await p.ok(['dlq', 'replay', 'sums', '--code', 'user.data.type'])).err).toBe('sums  2 records sent to s; the next run reads what it reads there\n');
    const sent = (await p.records('s')).map(r => [r['partition'], r['key'], r['value']]);
    const [[same]] = sent as [[number]];
    expect(sent.filter(r => r[2] === row('a', '1.5', T))).toEqual([[same, 'same', row('a', '1.5', T)], [same, 'same', row('a', '1.5', T)]]);
    expect(sent.filter(r => r[2] === row('c', '2.5', T + 10_000))).toEqual([[2, null, row('c', '2.5', T + 10_000)], [2, null, row('c', '2.5', T + 10_000)]]);
    expect((await p.ok(['dlq', 'ls', 'sums', '--json'])).json).toEqual([]);
    expect((await p.ok(['dlq', 'replay', 'sums', '--all', '--json'])).json).toMatchObject([{ records: 0 }]);
    expect((await p.call(['dlq', 'replay', 'sums', '--id', '1'])).problem).toMatchObject({ exit: 2, hint: expect.stringContaining('pipe dlq ls sums --limit 20') as string });
    for (const command of ['replay', 'drop']) {
      const wrong = async (code: string): Promise<string | undefined> => (await p.call(['dlq', command, 'sums', '--code', code])).problem?.hint;
      expect(await wrong('user.data.tipe')).toBe('did you mean "user.data.type"?');
      expect(await wrong('nonsense')).toMatch(/^codes: user\.data\.decode, /);
      // codes, and beginnings of some, that nothing has now
      for (const code of ['user.data.late', 'user.data']) expect((await p.call(['dlq', command, 'sums', '--code', code])).exit).toBe(0);
    }
    expect((await p.call(['dlq', 'drop', 'sums', '--id', '1'])).problem?.hint).toBe('pipe dlq ls sums --limit 20 lists them');
    expect((await p.call(['dlq', 'replay', 'sums'])).problem).toMatchObject({ code: 'user.usage.missing_argument' });
    p.write('sums.yaml', pipeline({ v: 'DECIMAL(12,2)' }));
    const again = await p.call(['run', 'sums', '--until-end', '--no-print', '--json']);
    expect(JSON.parse(again.err.trim().split('\n').at(-1) as string)).toMatchObject({ records_in: 2, undecodable: 0 });
  });

  it('sends a record once that is several letters, and says what is counted twice and what is late', async () => {
    p.write('sums.yaml', pipeline({ more: '  r1: {sql: "SELECT k, 1 / v AS r FROM s"}\n  r2: {sql: "SELECT k, 2 / v AS r FROM s"}\n' }));
    await p.ok(['topics', 'create', 's', '--partitions', '1']);
    await p.send('s', [row('z', 0)]);
    await run();
    await p.send('s', [row('l', 1)]);
    await run();
    expect((await p.ok(['dlq', 'ls', 'sums', '--json'])).json.map(l => [l['code'], l['offset']])).toEqual([['user.data.division_by_zero', 0], ['user.data.division_by_zero', 0], ['user.data.late', 1]]);
    const r = await p.ok(['dlq', 'replay', 'sums', '--all']);
    expect(r.err).toBe(`sums  2 records (3 dead letters) sent to s; the next run reads what it reads there
sums  1 row of these was late: late again, unless the state starts anew (--reset-state) or another pipeline reads them
sums  3 dead letters of these came from one sink of several: the others count the record a second time
`);
    expect((await p.records('s')).map(x => x['value'])).toEqual([row('z', 0), row('l', 1), row('z', 0), row('l', 1)]);
  });

  it('refuses what is cut, was not kept, or is no record, and says how many', async () => {
    p.write('sums.yaml', pipeline());
    await p.ok(['topics', 'create', 's', '--partitions', '1']);
    await p.send('s', ['x'.repeat((1 << 20) + 1), 'a', 'b', 'c']);
    await run();
    p.sql(STATE, 'UPDATE dead_letters SET message = NULL, place = NULL, key = NULL, value = NULL WHERE "offset" = 1');
    p.sql(STATE, 'UPDATE dead_letters SET partition = -1, "offset" = -1 WHERE "offset" = 2');
    const { json } = await p.ok(['dlq', 'replay', 'sums', '--all', '--json']);
    expect(json).toMatchObject([{ records: 1, refused: { cut: 1, not_kept: 1, no_record: 1 } }]);
    expect((await p.ok(['dlq', 'ls', 'sums', '--json'])).json.map(l => l['unfit']).sort()).toEqual(['cut', 'no_record', 'not_kept']);
    expect((await p.ok(['dlq', 'ls', 'sums'])).err).toContain('of 1 letter position and code only were kept');
    expect((await p.call(['dlq', 'show', 'sums', 's-0-1', '--raw'])).exit).toBe(2);
    expect((await p.records('s')).map(r => r['value']).slice(4)).toEqual(['c']);
  });

  it('to another topic, which must exist', async () => {
    p.write('sums.yaml', pipeline());
    await p.ok(['topics', 'create', 's', '--partitions', '1']);
    await p.send('s', ['a'], '--key', 'k');
    await run();
    expect((await p.call(['dlq', 'replay', 'sums', '--all', '--to', 'other'])).problem).toMatchObject({ code: 'system.sink.topic_missing' });
    for (const to of ['', 'a b', '..']) expect((await p.call(['dlq', 'replay', 'sums', '--all', '--to', to])).problem).toMatchObject({ code: 'user.usage.bad_value', message: `"${to}" cannot be the name of a topic` });
    expect((await p.ok(['dlq', 'ls', 'sums', '--json'])).json.length).toBe(1);
    await p.ok(['topics', 'create', 'other', '--partitions', '2']);
    await p.ok(['dlq', 'replay', 'sums', '--all', '--to', 'other']);
    expect((await p.records('other')).map(r => [r['key'], r['value']])).toEqual([['k', 'a']]);
    expect((await p.records('s')).length).toBe(1);
  });

  it('reads and replays a topic of dead letters alike', async () => {
    p.write('sums.yaml', pipeline({ onError: '{topic: bad}' }));
    await p.ok(['topics', 'create', 's', '--partitions', '1']);
    await p.send('s', ['nope', row('a', 'x'), 'no'], '--key', 'k');
    await run();
    await p.send('s', [row('a', 1)]);
    await run();
    await p.send('s', [row('late', 1)]);
    await run();
    const { json } = await p.ok(['dlq', 'ls', 'sums', '--json']);
    expect(json.map(l => [l['code'], l['source'], l['topic'], l['partition'], l['offset'], l['key'], l['value'], l['message']])).toEqual([
      ['user.data.decode', 's', 's', 0, 0, 'k', 'nope', 'not JSON: unexpected "o" at byte 1'],
      ['user.data.type', 's', 's', 0, 1, 'k', row('a', 'x'), 'v: "x" is not INT'],
      ['user.data.decode', 's', 's', 0, 2, 'k', 'no', 'not JSON: unexpected "o" at byte 1'],
      ['user.data.late', 's', 's', 0, 4, null, row('late', 1), 'all windows of the row are closed'],
    ]);
    expect((await p.ok(['dlq', 'ls', 'sums'])).out).toMatch(/ {4}2 {2}user\.data\.decode/);
    const id = json[1]?.['id'] as string;
    expect((await p.ok(['dlq', 'show', 'sums', id])).out).toContain('v: "x" is not INT');
    expect((await p.ok(['dlq', 'show', 'sums', 's-0-1', '--raw'])).out).toBe(row('a', 'x'));
    await p.ok(['dlq', 'replay', 'sums', '--code', 'user.data.decode']);
    expect((await p.records('s')).map(r => [r['key'], r['value']]).slice(5)).toEqual([['k', 'nope'], ['k', 'no']]);
    expect((await p.ok(['dlq', 'ls', 'sums', '--json'])).json.map(l => l['offset'])).toEqual([1, 4]);
    expect((await p.ok(['dlq', 'replay', 'sums', '--code', 'user.data.decode', '--json'])).json).toMatchObject([{ records: 0 }]);
    expect((await p.ok(['dlq', 'drop', 'sums', '--all', '--dry-run'])).err).toBe('sums  0 dead letters would be dropped; 2 records of dead-letter topics would stay: retention removes them\n');
    expect((await p.ok(['dlq', 'drop', 'sums', '--all', '--json'])).json).toMatchObject([{ dropped: 0, dry_run: false, in_topics: 2 }]);
  });

  it('believes nothing that a record of a dead-letter topic says of itself', async () => {
    p.write('sums.yaml', pipeline({ onError: '{topic: bad}' }));
    await p.ok(['topics', 'create', 's', '--partitions', '1']);
    await p.ok(['topics', 'create', 'private', '--partitions', '1']);
    await p.send('s', [row('a', 1)]);
    await run();
    const forged: [string, string][] = [
      ['constructor: x', 'private/0/0'], ['user.data.decode: \u001b[31mx', '\u001b[2Jevil/0/1 \u001b[31mf.yaml:1:1'], ['\u001b[31m', 'nowhere'], ['user.data.decode: far', 's/99/7'], ['', ''],
    ];
    for (const [error, at] of forged) await p.send('bad', ['x'], '--partition', '0', '--header', `pipe.error=${error}`, '--header', `pipe.at=${at}`);
    await p.send('bad', ['no headers'], '--partition', '0');
    const { out } = await p.ok(['dlq', 'ls', 'sums', '--limit', '9']);
    expect(ACTING.exec(out)).toBeNull();
    for (let i = 0; i < 6; i++) expect(ACTING.exec((await p.ok(['dlq', 'show', 'sums', `bad-0-${i}`])).out)).toBeNull();
    const replayed = await p.ok(['dlq', 'replay', 'sums', '--all', '--json']);
    expect(replayed.json).toMatchObject([{ records: 1, topics: { s: 1 }, refused: { other_source: 2, no_record: 3 } }]);
    expect(await p.records('private')).toEqual([]);
    expect((await p.records('s')).map(r => [r['partition'], r['value']])).toEqual([[0, row('a', 1)], [0, 'x']]);
    // a state that has not begun cannot keep what was replayed
    await p.ok(['state', 'reset', 'sums', '--yes']);
    expect((await p.call(['dlq', 'replay', 'sums', '--all'])).problem).toMatchObject({ code: 'user.usage.bad_value', message: 'pipeline "sums" has not run since its state began' });
  });

  it('leaves a running pipeline alone, but for reading', async () => {
    p.write('sums.yaml', pipeline());
    await p.ok(['topics', 'create', 's', '--partitions', '1']);
    await p.send('s', ['a']);
    await run();
    const lock = lockState(p.path(STATE), 'sums');
    try {
      for (const argv of [['replay', 'sums', '--all'], ['drop', 'sums', '--all']]) {
        const r = await p.call(['dlq', ...argv]);
        expect([r.exit, r.problem?.hint]).toEqual([21, 'its state has one writer: stop it, do this, and start it again, it goes on where it stopped']);
      }
      expect((await p.ok(['dlq', 'ls', 'sums', '--json'])).json.length).toBe(1);
      expect((await p.ok(['dlq', 'replay', 'sums', '--all', '--dry-run', '--json'])).json).toMatchObject([{ records: 1 }]);
      expect((await p.ok(['dlq', 'drop', 'sums', '--all', '--dry-run', '--json'])).json).toMatchObject([{ dropped: 1 }]);
    } finally {
      lock.release();
    }
  });

  it('drops, gives room back, and never gives a number twice', async () => {
    p.write('sums.yaml', pipeline());
    await p.ok(['topics', 'create', 's', '--partitions', '1']);
    await p.send('s', ['a', 'b', ...Array.from({ length: 6 }, (_, i) => `${i}`.repeat(500_000)), row('k', 'x')]);
    await run();
    const before = statSync(p.path(STATE)).size;
    const dry = (...flags: string[]): ReturnType<PipeProject['call']> => p.call(['dlq', 'drop', 'sums', '--dry-run', ...flags]);
    expect((await dry('--id', '1,s-0-1')).err).toBe('sums  2 dead letters would be dropped\n');
    expect((await dry('--all', '--json')).json).toEqual([{ v: 1, pipeline: 'sums', log: 'embedded', dry_run: true, dropped: 9, in_topics: 0 }]);
    expect((await dry('--id', '99')).problem?.hint).toBe('pipe dlq ls sums --limit 20 lists them');
    expect((await p.ok(['dlq', 'ls', 'sums', '--json'])).json.length).toBe(9);
    expect((await p.ok(['dlq', 'drop', 'sums', '--before', '2001-01-01', '--json'])).json).toMatchObject([{ dropped: 0 }]);
    expect((await p.ok(['dlq', 'drop', 'sums', '--code', 'user.data.type', '--json'])).json).toMatchObject([{ dropped: 1 }]);
    expect((await p.ok(['dlq', 'drop', 'sums', '--id', '1,s-0-1', '--json'])).json).toMatchObject([{ dropped: 2 }]);
    expect((await p.call(['dlq', 'drop', 'sums', '--id', '1'])).exit).toBe(2);
    expect((await p.ok(['dlq', 'drop', 'sums', '--all', '--json'])).json).toMatchObject([{ dropped: 6 }]);
    expect(statSync(p.path(STATE)).size).toBeLessThan(before / 4);
    await p.send('s', ['again']);
    await run();
    expect((await p.ok(['dlq', 'ls', 'sums', '--json'])).json.map(l => l['id'])).toEqual(['10']);
    expect((await p.call(['dlq', 'drop', 'sums', '--all', '--id', '10'])).exit).toBe(2);
  });

  it('a reset says that copies of a replay will count beside their originals, and they do', async () => {
    p.write('sums.yaml', pipeline());
    await p.ok(['topics', 'create', 's', '--partitions', '1']);
    await p.send('s', [row('a', 1), row('a', 3_000_000_000), row('b', 2)]);
    await run();
    expect((await p.ok(['state', 'reset', 'sums', '--dry-run'])).err).toContain(', 1 dead letter); the next run');
    await p.ok(['dlq', 'replay', 'sums', '--all']);
    const copies = ', 0 dead letters; 1 record that dlq replay has sent will count beside the original where both can be read)';
    expect((await p.ok(['state', 'reset', 'sums', '--dry-run'])).err).toContain(copies);
    p.write('sums.yaml', pipeline({ v: 'BIGINT' }));
    expect((await run('--reset-state')).err).toContain(copies);
    expect((await p.records('out')).map(r => r['value'])).toEqual(expect.arrayContaining([expect.stringContaining('{"k":"a","total":6000000001,')]));
  });

  it('replays what a backfill then counts once', async () => {
    p.write('sums.yaml', pipeline());
    await p.ok(['topics', 'create', 's', '--partitions', '1']);
    await p.send('s', [row('a', 1), row('a', 3_000_000_000), row('b', 2)]);
    await run();
    p.write('sums.yaml', pipeline({ v: 'BIGINT' }));
    for (let copy = 0; copy < 2; copy++) {
      // the copy is late by now, so it can be sent once more
      await p.ok(['dlq', 'replay', 'sums', '--all']);
      await run();
    }
    p.write('sums.yaml', pipeline({ v: 'BIGINT', more: "  counts: {sql: \"SELECT k, COUNT(*) AS n, SUM(v) AS total FROM s GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)\"}\n" }));
    expect((await run('--backfill')).err).toContain('built again from 3 records');
    expect((await p.records('s')).length).toBe(5);
    expect((await p.records('counts')).map(r => r['value']).sort()).toEqual(['{"k":"a","n":2,"total":3000000001}', '{"k":"b","n":1,"total":2}']);
  });
});
