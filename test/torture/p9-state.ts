import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { PipeError } from '../../src/errors.ts';
import { LAYOUT } from '../../src/state/file.ts';
import { openStateStore } from '../../src/state/sqlite.ts';
import { type Bed, mustDie, mustEnd, onBed } from './bed.ts';
import type { Promised } from './promise.ts';

const PAGE_HEADER = 12;
const OWED_MS = 60_000;
const sha = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

interface Damage {
  readonly name: string;
  /** New bytes of the file. */
  apply(whole: Buffer, chance: () => number): Buffer;
}

const whole = (n: number, chance: () => number): number => Math.floor(chance() * n);
const flip = (data: Buffer, at: number, bit: number): Buffer => { data[at] = (data[at] as number) ^ (1 << bit); return data; };
const pageSize = (b: Buffer): number => (b.readUInt16BE(16) === 1 ? 65536 : b.readUInt16BE(16));

const damages: readonly Damage[] = [
  { name: 'a bit of the magic', apply: (b, c) => flip(b, whole(16, c), whole(8, c)) },
  { name: 'a bit of the application id', apply: (b, c) => flip(b, 68 + whole(4, c), whole(8, c)) },
  { name: 'a newer layout', apply: (b, c) => { b.writeUInt32BE(LAYOUT + 1 + whole(1000, c), 60); return b; } },
  { name: 'cut', apply: (b, c) => b.subarray(0, 1 + whole(b.length - 1, c)) },
  { name: 'cut at a page', apply: (b, c) => b.subarray(0, pageSize(b) * (1 + whole(b.length / pageSize(b) - 1, c))) },
  { name: 'empty', apply: () => Buffer.alloc(0) },
  { name: 'text', apply: (_, c) => Buffer.from('account,balance\n'.repeat(1 + whole(1000, c))) },
  { name: 'noise', apply: (b, c) => Buffer.from(b.map(() => whole(256, c))) },
  { name: 'zeros', apply: b => Buffer.alloc(b.length) },
  { name: 'a page of zeros', apply: (b, c) => b.fill(0, ...page(b, c)) },
  { name: 'a page of noise', apply: (b, c) => { const [from, to] = page(b, c); for (let i = from; i < to; i++) b[i] = whole(256, c); return b; } },
  { name: 'a bit of a page header', apply: (b, c) => flip(b, page(b, c)[0] + whole(PAGE_HEADER, c), whole(8, c)) },
];

/** [from, to) of a page behind the first. */
function page(b: Buffer, chance: () => number): [number, number] {
  const size = pageSize(b);
  const at = (1 + whole(b.length / size - 1, chance)) * size;
  return [at, at + size];
}

export const p9: Promised = {
  id: 'P9',
  promise: 'a state file that is damaged, cut, empty, foreign or newer is refused with a way out and stays byte for byte as it is',
  needs: 'nothing',
  rounds: 204,
  zero: ['silent', 'crashes', 'changed'],
  same: [['refused', 'sha_unchanged']],
  async run(o) {
    return onBed({ seed: o.seed, brokers: null }, async bed => {
      const first = await bed.begin();
      await bed.feedWhile(first, 1000);
      await bed.stop(first);
      const data = readFileSync(bed.state);
      const content = contentOf(bed.state);
      const count = { cases: 0, refused: 0, harmless: 0, silent: 0, crashes: 0, sha_unchanged: 0 };
      for (let i = 0; i < o.rounds; i++) {
        const damage = damages[i % damages.length] as Damage;
        const bytes = damage.apply(Buffer.from(data), bed.chance);
        if (bytes.equals(data)) continue;
        count.cases++;
        restore(bed, bytes);
        const problem = open(bed);
        if (problem instanceof PipeError && /^system\.state\.(corrupt|foreign|newer|rolled_back)$/.test(problem.code) && problem.hint !== undefined) {
          count.refused++;
          if (sha(readFileSync(bed.state)) === sha(bytes)) count.sha_unchanged++;
          else o.say(`${damage.name}: refused, but the file is another one`);
        } else if (problem !== null) {
          count.crashes++;
          o.say(`${damage.name}: ${String(problem)}`);
        } else if (contentOf(bed.state) === content) count.harmless++;
        else {
          count.silent++;
          o.say(`${damage.name} was not found`);
        }
      }
      return { ...count, ...await throughTheCommand(bed, data) };
    });
  },
};

function restore(bed: Bed, bytes: Buffer): void {
  for (const suffix of ['-wal', '-shm']) rmSync(`${bed.state}${suffix}`, { force: true });
  writeFileSync(bed.state, bytes);
}

/** Null when the file was taken; it is closed again. */
function open(bed: Bed): unknown {
  try {
    openStateStore({ path: bed.state, pipeline: bed.name, logId: bed.log.id, reset: false }).close();
    return null;
  } catch (error) {
    return error;
  }
}

/** All tables as text. */
function contentOf(path: string): string {
  const copy = `${path}.copy`;
  copyFileSync(path, copy);
  const db = new Sqlite(copy);
  try {
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").pluck().all() as string[];
    return tables.map(t => `${t}: ${JSON.stringify(db.prepare(`SELECT * FROM "${t}"`).raw().all())}`).join('\n');
  } catch (error) {
    return String(error);
  } finally {
    db.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${copy}${suffix}`, { force: true });
  }
}

/** What a user sees of each kind. */
async function throughTheCommand(bed: Bed, data: Buffer): Promise<{ readonly commands: number }> {
  const newer = Buffer.from(data);
  newer.writeUInt32BE(99, 60);
  const other = new Sqlite(':memory:');
  other.exec('CREATE TABLE t (x)');
  const cases = [
    [Buffer.alloc(0), 31, /error\[system\.state\.corrupt\]: .* is damaged: it is empty\n {2}hint: restore a copy of it \(pipe state restore\), or start again with --reset-state/],
    [data.subarray(0, data.length - 100), 31, /error\[system\.state\.corrupt\]: .* it has been cut\n {2}hint: /],
    [other.serialize(), 31, /error\[system\.state\.foreign\]: .* no state of pipe\n {2}hint: move it away/],
    [newer, 33, /error\[system\.state\.newer\]: .* was written by a newer pipe \(layout 99/],
  ] as const;
  other.close();
  for (const [bytes, exit, says] of cases) {
    restore(bed, Buffer.from(bytes));
    mustEnd(await bed.untilEnd(), exit);
    mustEnd(await bed.project.run(['run', bed.file, '--until-end', '--no-print'], { env: bed.env }), exit, says);
    if (!readFileSync(bed.state).equals(Buffer.from(bytes))) throw new Error('a refused file was changed');
  }
  restore(bed, data);
  await damagedOutbox(bed);
  return { commands: cases.length + 1 };
}

/** Output that waits in the state has a checksum of its own: a changed digit is not sent. */
async function damagedOutbox(bed: Bed): Promise<void> {
  const run = bed.start({ failpoint: 'append.before:1' });
  await bed.feedWhile(run, OWED_MS);
  mustDie(await run.finished);
  const db = new Sqlite(bed.state);
  const [id, block] = db.prepare('SELECT id, data FROM outbox').raw().get() as [number, Buffer];
  db.prepare('UPDATE outbox SET data = ? WHERE id = ?').run(flip(block, block.length - 5, 0), id);
  db.close();
  const refused = await bed.project.run(['run', bed.file, '--until-end', '--no-print'], { env: bed.env });
  mustEnd(refused, 31, new RegExp(`error\\[system\\.state\\.corrupt\\]: the state file is damaged: output for ${bed.output}/\\d that was not delivered yet has changed in it\n {2}hint: `));
}
