import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Log, OutEpoch } from '../../src/connectors/connector.ts';
import { canOwnBroker, type OwnBroker, startBroker } from './broker.ts';
import { block, TestPipeline } from './epochs.ts';
import { type Fate, Proxy } from './proxy.ts';
import { brokers, createTopic, kafkajs, listen, openLog, type Heard } from './support.ts';

/** Committed values, read by kafkajs' consumer on the broker itself. */
async function consumed(topic: string, address: string, count: number): Promise<string[]> {
  const consumer = kafkajs(address).consumer({ groupId: `check-${topic}`, readUncommitted: false });
  const values: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    void consumer.run({ eachMessage: async ({ message }) => { if (values.push(String(message.value)) === count) resolve(); } }).catch(reject);
  });
  await consumer.disconnect();
  return values;
}

const fates: readonly Fate[] = ['lost', 'unanswered'];
/** Requests of a transaction by the level of the feature transaction.version. */
const requests = [
  [1, [['AddPartitionsToTxn', 24], ['Produce', 0], ['AddOffsetsToTxn', 25], ['TxnOffsetCommit', 28], ['EndTxn', 26]]],
  [2, [['Produce', 0], ['TxnOffsetCommit', 28], ['EndTxn', 26]]],
] as const;

describe.skipIf(brokers === null || !canOwnBroker()).each(requests)('delivery over a connection that breaks, transaction.version %i', (version, sent) => {
  const points = sent.flatMap(([name, key]) => fates.map(fate => [name, key, fate] as const));
  let proxy: Proxy;
  let broker: OwnBroker;
  let input: string;

  beforeAll(async () => {
    proxy = await Proxy.start();
    broker = await startBroker({ properties: { 'advertised.listeners': `PLAINTEXT://${proxy.address}` }, format: ['--feature', `transaction.version=${version}`] });
    proxy.forward(broker.address);
    input = await createTopic('in', 1, {}, proxy.address);
  });
  afterAll(async () => {
    await proxy.stop();
    await broker.stop();
  });

  /** The next request of this kind meets its fate; `then` is for all after it. */
  function breakAt(apiKey: number, fate: Fate, then: Fate): { readonly hit: () => boolean } {
    let hit = false;
    proxy.fate = key => {
      if (hit) return then;
      if (key !== apiKey) return 'pass';
      hit = true;
      return fate;
    };
    return { hit: () => hit };
  }

  const open = (notices: Heard = listen()): Promise<Log> => openLog(notices, proxy.address);

  it.each(points)('goes on in place: %s (%i) %s', async (_, key, fate) => {
    const out = await createTopic('place', 2, {}, proxy.address);
    const p = new TestPipeline(input);
    const heard = listen();
    const log = await open(heard);
    const d = p.delivery(log);
    await d.recover(0);
    await d.commit(p.epoch(1, [block(out, 0, ['1'])]));
    const fault = breakAt(key, fate, 'pass');
    await d.commit(p.epoch(2, [block(out, 0, ['2a']), block(out, 0, ['2b'])]));
    expect(fault.hit()).toBe(true);
    await d.commit(p.epoch(3, [block(out, 0, ['3'])]));
    await d.close();
    expect(heard.lines).toEqual([expect.stringMatching(/^Kafka at .* does not answer: .*; trying again until it does$/), expect.stringMatching(/^Kafka at .* answers again after \d+ s$/)]);
    await log.close();
    expect(await consumed(out, broker.address, 4)).toEqual(['1', '2a', '2b', '3']);
  });

  it.each(points)('is resent, or not, by the next process: %s (%i) %s', async (_, key, fate) => {
    const out = await createTopic('crash', 1, {}, proxy.address);
    const p = new TestPipeline(input);
    const dying = await open();
    const d = p.delivery(dying);
    await d.recover(0);
    await d.commit(p.epoch(1, [block(out, 0, ['1'])]));
    const fault = breakAt(key, fate, 'lost');
    const lost = d.commit(p.epoch(2, [block(out, 0, ['2a', '2b'])])).catch(e => e);
    while (!fault.hit()) await new Promise(resolve => setTimeout(resolve, 2));
    await d.close();
    expect(await lost).toMatchObject({ code: 'system.sink.unreachable' });
    await dying.close();
    proxy.fate = () => 'pass';

    const log = await open();
    const next = p.delivery(log);
    const last = await next.recover(2);
    // only an EndTxn that reached the broker counts
    expect(last).toBe(key === 26 && fate === 'unanswered' ? 2 : 1);
    if (last === 1) await next.commit(p.epoch(2, [block(out, 0, ['2a', '2b'])]));
    await next.commit(p.epoch(3, [block(out, 0, ['3'])]));
    await next.close();
    await log.close();
    expect(await consumed(out, broker.address, 4)).toEqual(['1', '2a', '2b', '3']);
  });

  it('sends these requests, and one epoch after the other', async () => {
    const out = await createTopic('requests', 1, {}, proxy.address);
    const p = new TestPipeline(await createTopic('in', 3, {}, proxy.address));
    const epoch = (n: number): OutEpoch => ({ number: n, blocks: [block(out, 0, [String(n)])], offsets: new Map([[p.input, new Map([[0, n], [1, n], [2, n]])]]) });
    const log = await open();
    const d = p.delivery(log);
    await d.recover(0);
    await d.commit(p.epoch(1, [block(out, 0, ['1'])]));
    const seen: number[] = [];
    proxy.fate = key => { seen.push(key); return 'pass'; };
    for (let n = 2; n <= 20; n++) await d.commit(epoch(n));
    await d.commit(p.epoch(21, [], 21));
    // the broker's own AddPartitionsToTxn goes through the proxy, too
    for (const [, key] of sent) expect(seen).toContain(key);
    expect(seen.includes(25)).toBe(version === 1);
    await d.close();
    await log.close();
    expect(await consumed(out, broker.address, 20)).toEqual(Array.from({ length: 20 }, (_, i) => String(i + 1)));
  });

  it.each([['OffsetFetch', 9], ['InitProducerId', 22], ['FindCoordinator', 10]] as const)('recovers though %s (%i) gets no answer', async (_, key) => {
    const p = new TestPipeline(input);
    const log = await open();
    const d = p.delivery(log);
    breakAt(key, 'unanswered', 'pass');
    expect(await d.recover(0)).toBeNull();
    await d.commit(p.epoch(1, [], 11));
    await d.close();
    await log.close();
  });

  it('fences nobody when the state is foreign, or an older copy', async () => {
    const p = new TestPipeline(input);
    const log = await open();
    const d = p.delivery(log);
    await d.recover(0);
    await d.commit(p.epoch(5, [], 5));
    const seen: number[] = [];
    proxy.fate = key => { seen.push(key); return 'pass'; };
    await expect(p.delivery(log, { stateId: 'another' }).recover(5)).rejects.toMatchObject({ code: 'system.state.foreign' });
    await expect(p.delivery(log).recover(4)).rejects.toMatchObject({ code: 'system.state.rolled_back' });
    expect(seen).toContain(9);
    expect(seen).not.toContain(22);
    await d.close();
    await log.close();
  });

  it.each(fates)('writes once without a transaction, too, when Produce is %s', async fate => {
    const out = await createTopic('plain', 1, {}, proxy.address);
    const p = new TestPipeline(input);
    const log = await open();
    const d = p.delivery(log, { exactlyOnce: false });
    await d.recover(0);
    const fault = breakAt(0, fate, 'pass');
    await d.commit(p.epoch(1, [block(out, 0, ['1'])]));
    await d.commit(p.epoch(2, [block(out, 0, ['2'])]));
    expect(fault.hit()).toBe(true);
    await d.close();
    await log.close();
    expect(await consumed(out, broker.address, 2)).toEqual(['1', '2']);
  });

  it('delivers and reads through a broker that is killed and started again', async () => {
    const [out, source] = [await createTopic('killed', 1, {}, proxy.address), await createTopic('read', 1, {}, proxy.address)];
    const p = new TestPipeline(input);
    const heard = listen();
    const log = await open(heard);
    const d = p.delivery(log);
    await d.recover(0);
    const reader = log.source({ topic: source, topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'stop' });
    await reader.open();
    const read: string[] = [];
    const stop = new AbortController();
    const reading = (async () => {
      while (!stop.signal.aborted) for (const b of await reader.poll(new Set(), 50, stop.signal)) for (let i = 0; i < b.length; i++) read.push(b.data.toString('utf8', b.valueStart[i], b.valueEnd[i]));
    })();
    const wanted: string[] = [];
    let sent = 0;
    const send = async (): Promise<void> => {
      const n = ++sent;
      wanted.push(`${n}a`, `${n}b`);
      await d.commit(p.epoch(n, [block(out, 0, [`${n}a`]), block(source, 0, [`${n}b`])]));
    };
    for (let i = 0; i < 20; i++) await send();
    const during = (async () => { for (let i = 0; i < 40; i++) await send(); })();
    await broker.down('SIGKILL');
    expect(reader.idleSince(0)).toBeNull();
    await broker.up();
    await during;
    for (let i = 0; i < 5; i++) await send();
    while (read.length < sent) await new Promise(resolve => setTimeout(resolve, 20));
    stop.abort();
    await reading;
    expect(read).toEqual(wanted.filter(w => w.endsWith('b')));
    expect(await consumed(out, broker.address, sent)).toEqual(wanted.filter(w => w.endsWith('a')));
    // at once when it went, and when it was back
    expect(heard.lines.length).toBeGreaterThanOrEqual(2);
    expect(heard.lines.length).toBeLessThanOrEqual(4);
    await reader.close();
    await d.close();
    await log.close();
  }, 120_000);
});
