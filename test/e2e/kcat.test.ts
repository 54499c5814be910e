import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { unique } from '../unique.ts';
import { Project } from './project.ts';

/** host:port of the Kafka broker of this run, or null. */
const brokers = inject('brokers');

const hasKcat = spawnSync('kcat', ['-V'], { stdio: 'ignore' }).status === 0;
if (brokers !== null && !hasKcat && process.env['PIPE_REQUIRE_KAFKA'] === '1') throw new Error('PIPE_REQUIRE_KAFKA is set and there is no kcat');

let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

function kcat(args: readonly string[], input = ''): string {
  const r = spawnSync('kcat', ['-b', brokers as string, '-q', ...args], { input, encoding: 'utf8' });
  expect([r.status, r.stderr]).toEqual([0, '']);
  return r.stdout;
}

const read = (topic: string): string => kcat(['-C', '-t', topic, '-e', '-f', '%k %s\n', '-X', 'isolation.level=read_committed', '-X', 'check.crcs=true']);

/** The shipped file on topics of its own. */
function own(file: string, name: string, sink: string): void {
  p.write(`${name}-${file}`, readFileSync(`${p.dir}/pipelines/${file}`, 'utf8')
    .replace(/\ntests:[\s\S]*$/, '\n')
    .replace(/^name: (\w+)$/m, `name: ${name}-$1`)
    .replace('    schema:', `    topic: ${name}\n    schema:`)
    .replace(`  ${sink}:`, `  ${sink}:\n    topic: ${name}-${sink}`));
}

describe.skipIf(brokers === null || !hasKcat)('kcat', () => {
  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('writes what pipe reads and reads what pipe writes, compression %s', async codec => {
    const name = unique('kcat');
    const env = { PIPE_BROKERS: brokers as string };
    own('balances.yaml', name, 'account-balances');
    own('fraud.yaml', name, 'fraud-alerts');
    // the broker compresses what kcat finds too small
    await p.run(['topics', 'create', name, '--partitions', '3', '--config', `compression.type=${codec === 'none' ? 'uncompressed' : codec}`], { env });
    const line = (account: string, amount: number, type: string): string => `{"account":${account},"amount":${amount},"timestamp":"1704110400","type":"${type}"}\n`;
    // without a key, so that one account's records lie in all partitions
    kcat(['-P', '-t', name, '-z', codec, '-X', 'sticky.partitioning.linger.ms=0'], `${line('"1234"', 300, 'deposit')}${line('1234', 50, 'withdrawal')}${line('5678', 50, 'withdrawal')}${Array.from({ length: 15 }, () => line('9999', 500, 'deposit')).join('')}`);
    const tail = await p.run(['topics', 'tail', name, '--from-beginning', '--until-end'], { env });
    expect([tail.code, tail.lines.length, tail.lines.filter(l => l.includes('9999')).length]).toEqual([0, 18, 15]);
    const r = await p.run(['run', `${name}-balances.yaml`, `${name}-fraud.yaml`, '--until-end', '--json'], { env });
    expect(r.code).toBe(0);
    expect(read(`${name}-account-balances`).trim().split('\n').sort()).toEqual([
      '1234 {"account":"1234","balance":250.00,"window_start":1704110400000,"window_end":1704110410000}',
      '5678 {"account":"5678","balance":-50.00,"window_start":1704110400000,"window_end":1704110410000}',
      '9999 {"account":"9999","balance":7500.00,"window_start":1704110400000,"window_end":1704110410000}',
    ]);
    expect(read(`${name}-fraud-alerts`)).toBe('9999 {"account":9999,"total_activity":7500.00,"threshold":5000.0,"alert_type":"HIGH_ACTIVITY","message":"Account 9999 has $7500.00 activity in 1 minute (threshold: $5000.0)"}\n');
  });

  it('sees the keys, partitions and headers that topics send writes, and murmur2 places keys alike', async () => {
    const name = unique('keys');
    const env = { PIPE_BROKERS: brokers as string };
    await p.run(['topics', 'create', name, '--partitions', '3'], { env });
    const keys = ['a', 'b', 'account-1', 'Zürich', '日本', '0'];
    for (const key of keys) await p.run(['topics', 'send', name, '--key', key, '--header', 'from=pipe'], { env, input: 'pipe\n' });
    for (const key of keys) kcat(['-P', '-t', name, '-k', key, '-X', 'topic.partitioner=murmur2_random'], 'kcat');
    const rows = kcat(['-C', '-t', name, '-e', '-f', '%k|%p|%s|%h\n']).trim().split('\n').map(l => l.split('|') as [string, string, string, string]);
    for (const key of keys) {
      const [ours, theirs] = ['pipe', 'kcat'].map(who => rows.find(r => r[0] === key && r[2] === who));
      expect([key, ours?.[1], ours?.[3]]).toEqual([key, theirs?.[1], 'from=pipe']);
    }
  });
});
