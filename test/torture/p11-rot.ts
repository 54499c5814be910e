import { closeSync, cpSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Log } from '../../src/connectors/connector.ts';
import { PipeError } from '../../src/errors.ts';
import { type Bed, mustEnd, onBed, openLog } from './bed.ts';
import type { Promised } from './promise.ts';

const SAYS = /damaged|missing|no SQLite file|no log of pipe|newer pipe|cannot be opened/;

export const p11: Promised = {
  id: 'P11',
  promise: 'a flipped bit in the embedded log is found when it is read, with the place and what to do; records are never given out changed',
  needs: 'nothing',
  rounds: 300,
  zero: ['undetected', 'crashes', 'without_hint'],
  async run(o) {
    return onBed({ seed: o.seed, brokers: null }, async bed => {
      for (let i = 0; i < 8; i++) await bed.feed(100);
      const truth = await everything(bed.log, bed.input);
      await bed.log.close();
      const path = join(bed.project.dir, '.pipe', 'topics.db');
      const whole = withoutWal(path);
      const dir = mkdtempSync(join(tmpdir(), 'pipe-rot-'));
      const copy = join(dir, '.pipe', 'topics.db');
      const count = { flips: 0, detected: 0, harmless: 0, undetected: 0, crashes: 0, without_hint: 0 };
      try {
        cpSync(join(bed.project.dir, '.pipe'), join(dir, '.pipe'), { recursive: true });
        const place = await namesPlace(bed, path, whole);
        for (let i = 0; i < o.rounds; i++) {
          for (const suffix of ['-wal', '-shm']) rmSync(`${copy}${suffix}`, { force: true });
          const at = Math.floor(bed.chance() * whole.length);
          const bit = Math.floor(bed.chance() * 8);
          writeFileSync(copy, whole);
          poke(copy, at, (whole[at] as number) ^ (1 << bit));
          count.flips++;
          const seen = await read(dir, bed.input);
          if (seen === truth) count.harmless++;
          else if (typeof seen === 'string') {
            count.undetected++;
            o.say(`bit ${bit} of byte ${at} changes what is read`);
          } else if (seen instanceof PipeError && SAYS.test(seen.message)) {
            count.detected++;
            if (seen.hint === undefined) count.without_hint++;
          } else {
            count.crashes++;
            o.say(`bit ${bit} of byte ${at}: ${String(seen)}`);
          }
        }
        return { ...count, ...place };
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    });
  },
};

/** The file with all that was committed. */
function withoutWal(path: string): Buffer {
  const db = new Sqlite(path);
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  return readFileSync(path);
}

function poke(path: string, at: number, byte: number): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.from([byte]), 0, 1, at);
  closeSync(fd);
}

/** All records with offsets and times, as one text; or what was thrown. */
async function read(dir: string, topic: string): Promise<string | Error> {
  let log: Log | null = null;
  try {
    log = await openLog(null, dir);
    return await everything(log, topic);
  } catch (error) {
    return error as Error;
  } finally {
    await log?.close().catch(() => undefined);
  }
}

async function everything(log: Log, topic: string): Promise<string> {
  const source = log.source({ topic, topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'stop' });
  await source.open();
  const seen: string[] = [];
  try {
    while (source.partitions().some(p => source.position(p) < source.endAtOpen(p))) {
      for (const b of await source.poll(new Set(), 0, new AbortController().signal)) {
        for (let i = 0; i < b.length; i++) seen.push(`${b.partition} ${b.offsets[i]} ${b.timestamps[i]} ${b.data.toString('utf8', b.valueStart[i], b.valueEnd[i])}`);
      }
    }
  } finally {
    await source.close();
  }
  return seen.sort().join('\n');
}

/** What a user sees: a block with a flipped bit stops the run with topic, partition, offset and a hint. */
async function namesPlace(bed: Bed, path: string, whole: Buffer): Promise<{ readonly commands: number }> {
  const db = new Sqlite(path, { readonly: true });
  const block = db.prepare('SELECT data FROM batches LIMIT 1 OFFSET 3').pluck().get() as Buffer;
  db.close();
  const part = block.subarray(block.indexOf('"amount"'), block.indexOf('"amount"') + 60);
  // pages hold bytes of blocks that were moved, too
  for (let at = whole.indexOf(part); at >= 0; at = whole.indexOf(part, at + 1)) poke(path, at, (whole[at] as number) ^ 1);
  mustEnd(await bed.project.run(['run', bed.file, '--until-end', '--no-print']), 11, new RegExp(`error\\[system\\.source\\.corrupt_batch\\]: the block at offset \\d+ of ${bed.input}/\\d is damaged: its checksum is wrong`), 'hint:');
  writeFileSync(path, whole);
  return { commands: 1 };
}
