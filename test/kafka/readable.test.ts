import { expect, it } from 'vitest';
import { canOwnBroker } from './broker.ts';
import { block, TestPipeline } from './epochs.ts';
import { createTopic, openLog, until } from './support.ts';
import { onOwnBroker } from '../torture/own-broker.ts';

const WRITE_TXN_MARKERS = 27;

/** A transaction is decided before the markers are written that let readers see it: what the broker sends itself for that is held up here. */
it.skipIf(!canOwnBroker()).each([2, 1])('a delivery that is closed has waited until its rows can be read (transaction.version %i)', { timeout: 300_000 }, async version => {
  await onOwnBroker(async ({ direct, proxy }) => {
    const log = await openLog(undefined, direct);
    try {
      const out = await createTopic('out', 2, {}, direct);
      const ends = async (): Promise<(number | undefined)[]> => (await log.topic(out))?.partitions.map(p => p.end) ?? [];
      const p = new TestPipeline(await createTopic('in', 1, {}, direct));
      const d = p.delivery(log);
      await d.recover(0);
      let [held, holding, closed] = [0, true, false];
      proxy.fate = key => {
        if (key !== WRITE_TXN_MARKERS || !holding) return 'pass';
        held++;
        return 'lost';
      };
      await d.commit(p.epoch(1, [block(out, 0, ['a', 'b']), block(out, 1, ['c'])]));
      expect(await ends(), 'who reads to the end now reads nothing').toEqual([0, 0]);
      const closing = d.close().then(() => { closed = true; });
      const before = held;
      await until(() => held > before + 1);
      expect(closed).toBe(false);
      holding = false;
      await closing;
      // rows and the marker of each partition
      expect(await ends()).toEqual([3, 2]);
    } finally {
      await log.close();
    }
  }, version, true);
});
