import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import type { NewRecord, TopicInfo } from '../../src/connectors/connector.ts';
import { type Bed, mustEnd, onBed, openLog } from './bed.ts';
import type { Figures, Promised } from './promise.ts';
import { add } from './promise.ts';

/** A topic that is away must be gone for a minute before a run gives up. */
const GONE_MS = 240_000;
const GROWN_MS = 180_000;

type Admin = ReturnType<Kafka['admin']>;

export const p19: Promised = {
  id: 'P19',
  promise: 'a topic that is deleted, made again or grown under a run or between two runs: each is said and none is read from the wrong place',
  needs: 'nothing',
  rounds: 1,
  zero: ['silent', 'lost', 'dup', 'mismatch'],
  same: [['changes', 'detected']],
  async run(o) {
    let figures: Figures = {};
    for (let i = 0; i < o.rounds; i++) {
      figures = add(figures, await onBed({ seed: o.seed, brokers: null }, embeddedAgain));
      if (o.brokers === null) continue;
      const { brokers } = o;
      const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      try {
        // the two that wait for half a minute and longer do so side by side
        const parts = await Promise.allSettled([deleted, recreated, between, grown].map((change, n) => onBed({ seed: o.seed + n, brokers }, bed => change(bed, admin))));
        for (const f of parts) {
          if (f.status === 'rejected') throw f.reason;
          figures = add(figures, f.value);
        }
      } finally {
        await admin.disconnect();
      }
    }
    return figures;
  },
};

/** topics.db is put away and begun anew between two runs. */
async function embeddedAgain(bed: Bed): Promise<Figures> {
  await bed.feed(300);
  mustEnd(await bed.untilEnd(), 0);
  await bed.log.close();
  const { dir } = bed.project;
  for (const suffix of ['', '-wal', '-shm']) { try { renameSync(`${dir}/.pipe/topics.db${suffix}`, join(dir, `old${suffix}`)); } catch { continue; } }
  const log = await openLog(null, dir);
  for (const name of [bed.input, bed.output]) await log.createTopic({ name, partitions: 3, retention: null, config: {} });
  await log.append(bed.input, bed.work.ghosts(500));
  await log.close();
  mustEnd(await bed.project.run(['run', bed.file, '--until-end', '--no-print']), 11, 'error[system.source.topic_recreated]', 'was deleted and made again', 'hint: start again with --reset-state');
  return { changes: 1, detected: 1 };
}

async function following(bed: Bed): Promise<ReturnType<Bed['start']>> {
  const run = await bed.begin();
  await bed.feedWhile(run, 1000);
  return run;
}

async function ends(what: string, run: ReturnType<Bed['start']>, ...says: (string | RegExp)[]): Promise<Figures> {
  const late = new Promise<never>((_, no) => setTimeout(() => no(new Error(`${what}: still running\n${run.err}`)), GONE_MS).unref());
  mustEnd(await Promise.race([run.finished, late]), 11, ...says, 'hint:');
  return { changes: 1, detected: 1 };
}

async function deleted(bed: Bed, admin: Admin): Promise<Figures> {
  const run = await following(bed);
  await admin.deleteTopics({ topics: [bed.input] });
  return ends('deleted', run, 'error[system.source.topic_missing]', `topic "${bed.input}" does not exist`);
}

async function make(bed: Bed, admin: Admin): Promise<void> {
  await admin.deleteTopics({ topics: [bed.input] });
  for (let tries = 0; ; tries++) {
    try {
      await admin.createTopics({ topics: [{ topic: bed.input, numPartitions: 3, replicationFactor: 1 }], waitForLeaders: false });
      return;
    } catch (error) {
      if (tries === 50) throw error;
      await sleep(100);
    }
  }
}

async function recreated(bed: Bed, admin: Admin): Promise<Figures> {
  const run = await following(bed);
  await make(bed, admin);
  return ends('made again', run, 'error[system.source.topic_recreated]', 'was deleted and made again');
}

/** A broker says that it has made a topic or a partition some time before it lists it. */
async function appendTo(bed: Bed, changed: (t: TopicInfo) => boolean, records: NewRecord[]): Promise<void> {
  const fresh = await openLog(bed.env['PIPE_BROKERS'] as string, bed.project.dir);
  try {
    for (const end = performance.now() + GROWN_MS; ; await sleep(50)) {
      const topic = await fresh.topic(bed.input);
      if (topic !== null && changed(topic)) break;
      if (performance.now() > end) throw new Error(`the change of ${bed.input} is not listed`);
    }
    await fresh.append(bed.input, records);
  } finally {
    await fresh.close();
  }
}

/** Longer than before, so that the saved positions lie in the middle of the new one. */
async function between(bed: Bed, admin: Admin): Promise<Figures> {
  await bed.feed(300);
  mustEnd(await bed.untilEnd(), 0);
  const was = await bed.log.topic(bed.input);
  await make(bed, admin);
  await appendTo(bed, t => t.id !== was?.id, bed.work.ghosts(900));
  mustEnd(await bed.project.run(['run', bed.file, '--until-end', '--no-print'], { env: bed.env }), 11, 'error[system.source.topic_recreated]', 'hint:');
  return { changes: 1, detected: 1 };
}

/** Records of the new partition are read from its first on, and counted. */
async function grown(bed: Bed, admin: Admin): Promise<Figures> {
  const run = await following(bed);
  await admin.createPartitions({ topicPartitions: [{ topic: bed.input, count: 4 }] });
  await appendTo(bed, t => t.partitions.length === 4, bed.work.next(100).map(r => ({ ...r, partition: 3 })));
  await run.until('has 1 more partition, read from the beginning', GROWN_MS);
  await bed.stop(run);
  return { changes: 1, detected: 1, ...await bed.check() };
}
