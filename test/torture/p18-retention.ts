import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kafka, logLevel } from 'kafkajs';
import { readAll } from '../cases/run-case.ts';
import { type Bed, mustEnd, onBed } from './bed.ts';
import type { Figures, PassOptions, Promised } from './promise.ts';
import { add } from './promise.ts';

/** Records of a partition that retention takes before they are read. */
const GONE = 37;

export const p18: Promised = {
  id: 'P18',
  promise: 'records that retention removed before they were read: exit 11 with their exact number; with on_data_loss: earliest the run goes on and says it',
  needs: 'nothing',
  rounds: 1,
  zero: ['wrong_counts', 'silent'],
  same: [['cases', 'said']],
  async run(o) {
    let figures: Figures = {};
    for (let i = 0; i < o.rounds; i++) for (const brokers of o.brokers === null ? [null] : [null, o.brokers]) figures = add(figures, await retention({ ...o, seed: o.seed + i }, brokers));
    return figures;
  },
};

async function retention(o: PassOptions, brokers: string | null): Promise<Figures> {
  return onBed({ seed: o.seed, brokers }, async bed => {
    await bed.feed(300);
    mustEnd(await bed.untilEnd(), 0);
    bed.work.jump();
    const before = (await bed.log.topic(bed.input))?.partitions.find(p => p.partition === 1)?.end as number;
    // blocks of one record, since the embedded log deletes whole blocks
    for (let i = 0; i < GONE + 5; i++) await bed.log.append(bed.input, bed.work.ghosts(1).map(r => ({ ...r, partition: 1 })));
    await removeBefore(bed, brokers, before + GONE);
    const says = `${GONE} records of ${bed.input}/1 were deleted by retention before they were read (offset`;
    const range = `${before} to ${before + GONE - 1}`;
    const stopped = await bed.project.run(['run', bed.file, '--until-end', '--no-print'], { env: bed.env });
    mustEnd(stopped, 11, 'error[system.source.offset_lost]', says, range, 'hint: on_data_loss: earliest');
    bed.writePipeline('', yaml => yaml.replace('  transactions:\n', '  transactions:\n    on_data_loss: earliest\n'));
    const rows = (await readAll(bed.log, bed.output)).length;
    const went = await bed.untilEnd();
    mustEnd(went, 0, says, range, `going on at offset ${before + GONE}`, '"records_in":');
    const read = Number(/"records_in":(\d+)/.exec(went.err)?.[1]);
    return { cases: 2, said: 2, lost_records: GONE, silent: (await readAll(bed.log, bed.output)).length > rows ? 0 : 1, wrong_counts: read === 5 ? 0 : 1 };
  });
}

async function removeBefore(bed: Bed, brokers: string | null, offset: number): Promise<void> {
  if (brokers === null) {
    // as src/connectors/log/retention.ts does it
    const db = new Sqlite(join(bed.project.dir, '.pipe', 'topics.db'));
    const tp = db.prepare('SELECT tp FROM partitions JOIN topics USING (topic) WHERE name = ? AND partition = 1').pluck().get(bed.input);
    db.prepare('DELETE FROM batches WHERE tp = ? AND base < ?').run(tp, offset);
    db.prepare('UPDATE partitions SET first = ? WHERE tp = ?').run(offset, tp);
    db.close();
    return;
  }
  const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.fetchTopicOffsets(bed.input);
  await admin.deleteTopicRecords({ topic: bed.input, partitions: [{ partition: 1, offset: String(offset) }] });
  await admin.disconnect();
}
