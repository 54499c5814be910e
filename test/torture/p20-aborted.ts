import { Kafka, logLevel } from 'kafkajs';
import { unique } from '../unique.ts';
import { mustDie, onBed } from './bed.ts';
import type { Promised } from './promise.ts';

const SIZE = 60;
const KILL_EVERY = 12;

export const p20: Promised = {
  id: 'P20',
  promise: 'records of aborted input transactions are never seen, also by a run that is killed and goes on',
  needs: 'broker',
  rounds: 36,
  zero: ['lost', 'dup', 'mismatch'],
  async run(o) {
    return onBed({ seed: o.seed, brokers: o.brokers }, async bed => {
      const kafka = new Kafka({ brokers: [o.brokers as string], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 20 } });
      const producer = kafka.producer({ transactionalId: unique('writer'), maxInFlightRequests: 1, idempotent: true });
      await producer.connect();
      let [aborted, kills] = [0, 0];
      let run = await bed.begin();
      try {
        for (let i = 1; i <= o.rounds; i++) {
          const abort = bed.chance() < 0.3;
          const transaction = await producer.transaction();
          const records = abort ? bed.work.ghosts(SIZE) : bed.work.next(SIZE);
          const partitions = [...new Set(records.map(r => r.partition as number))];
          for (const partition of partitions) {
            // keys of the bytes of an abort marker: only control batches have markers
            await transaction.send({ topic: bed.input, messages: records.filter(r => r.partition === partition).map(r => ({ key: Buffer.from([0, 0, 0, 0]), value: r.value, partition })) });
          }
          await (abort ? transaction.abort() : transaction.commit());
          if (abort) aborted++;
          if (i % KILL_EVERY === 0) {
            await bed.feedWhile(run, 300);
            run.kill('SIGKILL');
            mustDie(await run.finished);
            kills++;
            run = await bed.begin();
          }
        }
        await bed.feedWhile(run, 500);
        await bed.stop(run);
      } finally {
        await producer.disconnect();
      }
      return { transactions: o.rounds, aborted, aborted_records: aborted * SIZE, kills, records: bed.work.records, ...await bed.check() };
    });
  },
};
