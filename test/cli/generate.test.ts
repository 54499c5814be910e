import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseCommandLine } from '../../src/cli/args.ts';
import { generate, rateFlag } from '../../src/cli/generate.ts';
import { Transactions, transactionJson } from '../../src/cli/generate-records.ts';
import { openEmbeddedLog } from '../../src/connectors/log/log.ts';
import { partitionOf } from '../../src/engine/murmur2.ts';
import { PipeError } from '../../src/errors.ts';
import { read, type Got } from '../log/conformance.ts';
import { fakeIo, type FakeIo } from './fake-io.ts';

let dir: string;
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'pipe-generate-')); });
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const run = (argv: readonly string[], io: FakeIo = fakeIo({ cwd: dir })): Promise<number> => generate.run(parseCommandLine(generate, argv), io);

async function all(topic: string, n: number): Promise<Got[]> {
  const log = openEmbeddedLog({ path: join(dir, '.pipe', 'topics.db'), notices: { warn: () => undefined, info: () => undefined } });
  const source = log.source({ topic, topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'stop' });
  await source.open();
  const got = await read(source, n);
  await source.close();
  await log.close();
  return got;
}

const stripped = (got: readonly Got[]): string[] => got.map(g => `${g.partition}:${g.offset} ${(g.value as string).replace(/"timestamp":"\d+",/, '')}`).sort();

describe('generate', () => {
  it('makes the topic and sends so many records with their account as key', async () => {
    const io = fakeIo({ cwd: dir });
    const before = Math.floor(Date.now() / 1000);
    expect(await run(['tx', '--count', '500', '--rate', 'max', '--seed', '7'], io)).toBe(0);
    expect(io.out.text).toBe('');
    expect(io.err.text).toBe('topic tx made (3 partitions) on the embedded log (no broker set)\nas fast as possible to tx on the embedded log (no broker set) · seed 7\n500 records sent to tx\n');
    const got = await all('tx', 500);
    for (const g of got) {
      expect(g.value).toMatch(/^\{"account":"\d{4}","amount":\d{1,3}\.\d\d,"timestamp":"\d{10}","type":"(deposit|withdrawal|transfer)"\}$/);
      const r = JSON.parse(g.value as string) as { account: string; timestamp: string };
      expect(g.key).toBe(r.account);
      expect(g.partition).toBe(partitionOf(Buffer.from(r.account), 0, 4, 3));
      expect(Number(r.timestamp)).toBeGreaterThanOrEqual(before);
      expect(Number(r.timestamp)).toBeLessThanOrEqual(Date.now() / 1000);
    }
  });

  it('sends the same records for the same seed, but for their time', async () => {
    for (const [topic, seed] of [['a', '3'], ['b', '3'], ['c', '4']] as const) await run([topic, '--count', '2000', '--rate', 'max', '--seed', seed, '--accounts', '50']);
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(async t => stripped(await all(t, 2000))));
    expect(a).toEqual(b);
    expect(c).not.toEqual(a);
    expect(new Set((a as string[]).map(l => /"account":"(\d+)"/.exec(l)?.[1])).size).toBe(50);
  });

  it('goes on at its rate until Ctrl-C', async () => {
    const stop = new AbortController();
    const io = fakeIo({ cwd: dir, signal: stop.signal });
    const running = run(['tx', '--rate', '2000/s'], io);
    await vi.waitFor(() => expect(io.err.text).toMatch(/^2000\/s to tx on the embedded log \(no broker set\) · seed \d+ · Ctrl-C stops$/m));
    const got = await all('tx', 200);
    stop.abort();
    expect(await running).toBe(0);
    const sent = Number(/^([\d,]+) records sent to tx$/m.exec(io.err.text)?.[1]?.replaceAll(',', ''));
    expect(sent).toBeGreaterThanOrEqual(got.length);
    expect(await all('tx', sent)).toHaveLength(sent);
  });

  it('ends when npx is gone, also between two records that are far apart', async () => {
    let gone = false;
    const io = fakeIo({ cwd: dir, orphaned: () => gone });
    const running = run(['tx', '--rate', '1/h'], io);
    await vi.waitFor(() => expect(io.err.text).toContain('Ctrl-C stops'));
    expect(await all('tx', 1)).toHaveLength(1);
    gone = true;
    const began = performance.now();
    expect(await running).toBe(0);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(io.err.text).toMatch(/\n1 record sent to tx\n$/);
  });

  it('understands rates', async () => {
    expect(['100/s', '100', '0.5/s', '30/m', '30/min', '7200/h', 'max'].map(rateFlag)).toEqual([100, 100, 0.5, 0.5, 0.5, 2, Infinity]);
    for (const bad of ['fast', '0/s', '-1/s', '1/day', '']) expect(() => rateFlag(bad)).toThrow(PipeError);
    await expect(run(['tx', '--rate', 'fast'])).rejects.toMatchObject({ exit: 2, message: '--rate takes a rate such as 100/s, 0.5/s, 30/m, or max, not "fast"' });
    await expect(run([])).rejects.toMatchObject({ exit: 2 });
    await expect(run(['tx', '--accounts', '0'])).rejects.toMatchObject({ exit: 2 });
  });
});

describe('transactions', () => {
  it('have bursts that pass 5,000 on one account, wherever a minute begins', () => {
    const t = new Transactions(1, 1000);
    const list = Array.from({ length: 20_000 }, () => t.next());
    const high = list.flatMap((x, i) => (Number(x.amount) >= 850 ? [{ ...x, i }] : []));
    expect(high.length % 12).toBe(0);
    expect(high.length).toBeGreaterThanOrEqual(5 * 12);
    expect(high[0]?.i).toBeLessThan(110);
    for (let b = 0; b < high.length; b += 12) {
      const burst = high.slice(b, b + 12);
      expect(new Set(burst.map(x => x.account)).size).toBe(1);
      for (let cut = 0; cut <= 12; cut++) {
        const sum = (part: typeof burst): number => part.reduce((n, x) => n + Number(x.amount), 0);
        expect(Math.max(sum(burst.slice(0, cut)), sum(burst.slice(cut)))).toBeGreaterThan(5000);
      }
    }
    // without bursts nobody comes near it
    const others = new Map<string, number>();
    for (const x of list.slice(0, 6000)) if (Number(x.amount) < 850) others.set(x.account, (others.get(x.account) ?? 0) + Number(x.amount));
    expect(Math.max(...others.values())).toBeLessThan(5000);
  });

  it('are written as the pipelines read them', () => {
    expect(transactionJson({ account: '1234', amount: '600.25', type: 'deposit' }, 1_704_110_400)).toBe('{"account":"1234","amount":600.25,"timestamp":"1704110400","type":"deposit"}');
  });
});
