import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionLost, errors, KafkaError } from '../../src/connectors/kafka/kafka-error.ts';
import { Outage } from '../../src/connectors/kafka/outage.ts';
import { PartitionState } from '../../src/connectors/kafka/partition-state.ts';
import type { FetchedPartition } from '../../src/connectors/kafka/protocol-fetch.ts';
import { listen, type Heard } from './support.ts';

const answer = (lastStable: number, highWatermark: number, records: Buffer | null = null): FetchedPartition => ({ partition: 0, error: 0, highWatermark, lastStable, begin: 0, aborted: [], records, release: () => undefined });

describe('idleness of a partition', () => {
  it('begins with an answer at the end, and lasts while answers come', () => {
    const p = new PartitionState('t', 0, 5, 5);
    expect(p.idleSince(0)).toBeNull();
    p.answered(answer(5, 5), 1000);
    for (let now = 1500; now < 5000; now += 500) p.answered(answer(5, 5), now);
    expect(p.idleSince(5000)).toBe(1000);
    // nobody asked, or nobody answered
    expect(p.idleSince(6501)).toBeNull();
    p.answered(answer(5, 5), 8000);
    expect(p.idleSince(8001)).toBe(8000);
  });

  it('begins anew after records, a pause, a failure and an open transaction', () => {
    const p = new PartitionState('t', 0, 5, 5);
    const disturb = [() => p.answered(answer(6, 6, Buffer.alloc(1)), 100), () => p.disturbed(), () => p.answered(answer(5, 7), 100), () => p.answered(answer(6, 6), 100)];
    for (const d of disturb) {
      p.answered(answer(5, 5), 50);
      expect(p.idleSince(60)).toBe(50);
      d();
      expect(p.idleSince(110)).toBeNull();
      p.answered(answer(5, 5), 200);
      expect(p.idleSince(210)).toBe(200);
      p.disturbed();
    }
  });

  it('speaks of an open transaction after a minute, and then each minute', () => {
    const p = new PartitionState('t', 0, 5, 5);
    const said: [number, number][] = [];
    const poll = (now: number, lastStable: number): void => {
      p.answered(answer(lastStable, 9), now);
      const stuck = p.takeStuck(now);
      if (stuck !== null) said.push([now, stuck]);
    };
    for (let now = 0; now <= 130_000; now += 500) poll(now, 5);
    expect(said).toEqual([[60_000, 60], [120_000, 120]]);
    // it ended, and another one is open
    p.position = 7;
    for (let now = 130_500; now <= 195_000; now += 500) poll(now, 7);
    expect(said.slice(2)).toEqual([[190_500, 60]]);
  });
});

describe('what is said of an outage', () => {
  let heard: Heard;
  let outage: Outage;
  const lost = new ConnectionLost('b:9092: connection refused');
  const [a, b] = [{}, {}];
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    heard = listen();
    outage = new Outage('Kafka at b:9092', heard);
  });
  afterEach(() => { vi.useRealTimers(); });

  it('is one line at once, one a minute, and one at the end, whoever noticed', () => {
    for (let s = 0; s <= 130; s++) {
      outage.failed(a, lost);
      outage.failed(b, lost);
      vi.advanceTimersByTime(1000);
    }
    outage.ok(a);
    expect([heard.lines.length, outage.known]).toEqual([3, true]);
    outage.ok(b);
    expect(outage.known).toBe(false);
    outage.ok(b);
    expect(heard.lines).toEqual([
      'Kafka at b:9092 does not answer: b:9092: connection refused; trying again until it does',
      'Kafka at b:9092 does not answer for 1 min: b:9092: connection refused; trying again until it does',
      'Kafka at b:9092 does not answer for 2 min: b:9092: connection refused; trying again until it does',
      'Kafka at b:9092 answers again after 131 s',
    ]);
  });

  it('is nothing while leaders move for a moment', () => {
    const moved = new KafkaError(errors.NOT_LEADER_OR_FOLLOWER, 'read t/0');
    outage.failed(a, moved);
    vi.advanceTimersByTime(4000);
    outage.failed(a, moved);
    outage.ok(a);
    expect(heard.lines).toEqual([]);
    outage.failed(a, moved);
    vi.advanceTimersByTime(5000);
    outage.failed(a, moved);
    expect(heard.lines).toEqual(['Kafka at b:9092 does not answer: read t/0: NOT_LEADER_OR_FOLLOWER; trying again until it does']);
  });

  it('ends with who gave up', () => {
    outage.failed(a, lost);
    outage.end(a);
    outage.failed(b, lost);
    outage.ok(b);
    expect(heard.lines.length).toBe(3);
  });
});
