import { expect, it } from 'vitest';
import { check } from '../../src/connectors/kafka/kafka-error.ts';
import { Outage } from '../../src/connectors/kafka/outage.ts';
import { offsetFetchRequest } from '../../src/connectors/kafka/protocol-cluster.ts';
import { Retrier } from '../../src/connectors/kafka/retry.ts';
import { withBrokers } from '../sim/drive.ts';

it('looks a coordinator up again when it has moved', () => withBrokers(2, async ({ net, cluster }) => {
  const retrier = new Retrier(cluster, new Outage('brokers', { warn: () => undefined, info: () => undefined }));
  const lane = cluster.lane();
  const ask = (): Promise<number> => retrier.run(async () => {
    const node = await cluster.coordinator('group', 'g');
    check((await lane.send(node, offsetFetchRequest('g', false))).error, 'offsets');
    return node;
  }, 20_000);
  const before = await ask();
  net.move();
  expect(await ask()).toBe(3 - before);
}));
