import { rmSync } from 'node:fs';
import { kafka } from './parties.mjs';
import { workspace } from './workspace.mjs';

/** A folder of its own, and a broker where one is wanted, for the time of `work`. */
async function within(work, brokers) {
  const dir = workspace();
  try {
    if (brokers === undefined) return await work(dir);
    const cluster = await kafka(brokers.named, dir);
    try {
      return await work(dir, cluster.address);
    } finally {
      await cluster.stop();
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Each gives a list of results, {kind, ..}, that print.mjs knows. */
export const sections = {
  jobs: async ({ records, accountCounts, runs, brokers, only, say }) => (await import('./parties.mjs')).parties({ records: records ?? 2_000_000, accountCounts, runs, brokers, only, say }),
  project: async ({ records, runs, brokers, say }) => [await (await import('./project.mjs')).project({ records: records ?? 1_000_000, runs, brokers, say })],
  append: async ({ records, runs }) => {
    const { append } = await import('./append.mjs');
    const r = await within(dir => append({ records: records ?? 1_000_000, runs, dir }));
    return [{ kind: 'rows', title: `The embedded log, medians of ${runs}`, rows: [
      { name: 'append of 1,000 records at a time', unit: 'records/s', limit: 1_500_000, ...r.recordsPerSecond }, { name: 'the same', unit: 'CPU s per M records', limit: null, ...r.cpuSecondsPerMillion },
      { name: 'append of one record at a time', unit: 'records/s', limit: null, ...r.single }, { name: 'open to first records', unit: 'ms', limit: null, ...r.firstPollMs },
    ] }];
  },
  state: async ({ runs }) => [{ kind: 'rows', title: `State of a sum and a count by a short key, medians of ${runs}`, rows: (await import('./state.mjs')).state({ runs }) }],
  start: async ({ runs }) => {
    const { start } = await import('./start.mjs');
    return [{ kind: 'rows', title: `Start-up and idle, medians of ${runs}`, rows: (await within(dir => start({ runs, dir }))).map(r => ({ limit: null, ...r })) }];
  },
  latency: async ({ brokers }) => {
    const { latency } = await import('./latency.mjs');
    const rows = await within((dir, address) => latency({ brokers: address, dir }), { named: brokers });
    return [{ kind: 'latency', rows }];
  },
  scale: async ({ runs, only, say }) => [{ kind: 'scale', runs: Math.min(runs, 3), rows: await (await import('./scale.mjs')).scale({ runs: Math.min(runs, 3), only: only?.[0], say }) }],
  workers: async ({ records, runs, brokers, say }) => {
    const { workers } = await import('./workers.mjs');
    const most = records ?? 24_000_000;
    const rows = (await workers({ records: most, accountCounts: [1000], runs: Math.min(runs, 5), log: brokers ?? 'none', say })).flatMap(r => [
      { name: r.workers === 1 ? 'one thread' : `${r.workers} threads`, unit: 'records/s', limit: null, ...r.recordsPerSecond }, { name: 'the same', unit: 'CPU s per M records', limit: null, ...r.cpuSecondsPerMillion },
      ...(r.workers === 1 ? [] : [{ name: 'the same', unit: 'times one thread', limit: 1.6, ...r.times }, { name: `${r.processes} processes of one thread, at once`, unit: 'times one', limit: null, ...r.apart }]),
    ]);
    return [{ kind: 'rows', title: `Several threads, balances of ${most.toLocaleString('en-US')} records, ${brokers === undefined ? 'embedded log' : 'Kafka'}, medians of ${Math.min(runs, 5)}`, rows }];
  },
  against: async ({ records, accountCounts, runs, against: other, say }) => {
    if (other === undefined) throw new Error('against needs --against DIR: another checkout that has been built');
    const { against } = await import('./against.mjs');
    return [{ kind: 'rows', title: `balances on the embedded log, medians of ${runs}`, rows: await against({ other, records: records ?? 4_000_000, accounts: accountCounts[0], runs, say }) }];
  },
  micro: async ({ records, accountCounts, runs }) => {
    const { micro } = await import('./micro.mjs');
    return accountCounts.map(accounts => ({ kind: 'micro', records: records ?? 200_000, accounts, runs, nsPerRecord: micro({ records: records ?? 200_000, accounts, runs }) }));
  },
};
