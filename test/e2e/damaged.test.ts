import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Database } from '../../src/state/database.ts';
import { Project } from './project.ts';

let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

const KEYS = 40_000;
const pipeline = (memory: string): string => `name: sums
sources:
  events:
    schema: k STRING, v BIGINT
    create: {partitions: 1}
sinks:
  sums:
    create: {partitions: 1}
    sql: SELECT k, SUM(v) AS total FROM events GROUP BY k
settings: {memory: ${memory}}
`;

/** Flips a bit in the middle of what a table of the state file holds first. */
function flip(table: string): void {
  const db = new Database(join(p.dir, '.pipe/state/sums@embedded.db'));
  try {
    const [row, data] = db.prepare(`SELECT rowid, data FROM ${table} LIMIT 1`).raw().get() as [number, Buffer];
    data[data.length >> 1] = (data[data.length >> 1] as number) ^ 1;
    db.prepare(`UPDATE ${table} SET data = ? WHERE rowid = ?`).run(data, row);
  } finally {
    db.close();
  }
}

it.each([
  ['packed', '1GB', {}, 'a packed piece of the state file is damaged: its checksum is wrong'],
  ['spilled', '4MB', {}, 'a spilled piece of the state file is damaged: its checksum is wrong'],
  ['outbox', '1GB', { PIPE_FAILPOINT: 'append.before' }, 'the state file is damaged: output for sums/0 that was not delivered yet has changed in it'],
] as const)('a flipped bit in table %s is said with what to do, and nothing is sent', async (table, memory, env, message) => {
  p.write('sums.yaml', pipeline(memory));
  await p.run(['topics', 'create', 'events', '--partitions', '1']);
  await p.run(['topics', 'send', 'events'], { input: Array.from({ length: KEYS }, (_, i) => `{"k":"k${i}","v":${i}}\n`).join('') });
  const first = await p.run(['run', 'sums.yaml', '--until-end', '--no-print'], { env });
  expect([first.code, first.signal], first.err).toEqual('PIPE_FAILPOINT' in env ? [null, 'SIGKILL'] : [0, null]);
  const sent = async (): Promise<number> => (await p.run(['topics', 'tail', 'sums', '--from-beginning', '--until-end'])).lines.length;
  const before = await sent();
  flip(table);
  await p.run(['topics', 'send', 'events'], { input: '{"k":"k1","v":1}\n' });
  const refused = await p.run(['run', 'sums.yaml', '--until-end', '--no-print']);
  expect([refused.code, refused.err]).toEqual([31, expect.stringMatching(new RegExp(`error\\[system\\.state\\.corrupt\\]: ${message}\n {2}hint: restore a copy of it \\(pipe state restore\\), or start again with --reset-state \\(it reads the topics from their start and sends rows a second time\\)\n$`))]);
  expect(await sent()).toBe(before);
}, 120_000);
