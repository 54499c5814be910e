import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStateStore } from '../../src/state/sqlite.ts';
import type { EpochWrite, SqlValue, StateStore, StateTx, TableSpec } from '../../src/state/store.ts';
import { Disk, SimStore } from './disk.ts';
import { Actor, World } from './world.ts';

const specs: readonly TableSpec[] = [
  { name: 'one', key: 2, columns: [{ name: 'we', type: 'INTEGER' }, { name: 'k', type: 'TEXT' }, { name: 'start', type: 'INTEGER' }, { name: 'sum', type: 'REAL' }, { name: 'wide', type: 'TEXT' }] },
  { name: 'two', key: 1, columns: [{ name: 'id', type: 'INTEGER' }, { name: 'b', type: 'BLOB' }] },
];

const plain = (v: unknown): unknown => (v instanceof Uint8Array ? `x${Buffer.from(v).toString('hex')}` : typeof v === 'bigint' ? `${v}n` : v);
const rows = (list: Iterable<readonly unknown[]>): unknown[][] => [...list].map(r => [...r].map(plain));

/** All that can be read of a store. */
function seen(s: StateStore): unknown {
  const saved = s.saved();
  return {
    tables: specs.map(spec => { const t = s.table(spec); return [rows(t.scan()), rows([...t.packed()].map(p => [p.lead, p.lane, p.data]))]; }),
    saved: { ...saved, positions: [...saved.positions].sort((a, b) => a.partition - b.partition), watermarks: [...saved.watermarks].sort(), counters: [...saved.counters].sort() },
    outbox: s.outbox().map(b => [b.topic, b.partition, b.rows, plain(b.data)]), values: ['x', 'y'].map(n => plain(s.get('op', n))), fresh: s.fresh, plan: s.plan(), holds: specs.map(spec => s.holds(spec.name)),
  };
}

it('the disk of the simulation holds what SQLite holds, over epochs, failures and restarts', () => {
  const dir = mkdtempSync(join(tmpdir(), 'pipe-sim-disk-'));
  const w = new World(Number(process.env['PIPE_SEED'] ?? 4));
  const disk = new Disk('id');
  const actor = new Actor('p');
  const open = (): [StateStore, StateStore] => [openStateStore({ path: join(dir, 'p.db'), pipeline: 'p', logId: 'k', reset: false }), new SimStore(disk, actor, { fate: () => 'well', committed: () => undefined })];
  let both = open();
  const key = (): SqlValue => w.one<SqlValue>([null, '', 'a', 'b', 'é', '\u{1F600}', 'Z']);
  const number = (): SqlValue => w.one<SqlValue>([0, -5, 3.5, 2 ** 40, 9007199254740993n, null]);
  let seq = 0;
  for (let epoch = 1; epoch <= 120; epoch++) {
    const work: ((s: StateStore, tx: StateTx) => void)[] = [];
    for (let i = w.pick(6); i > 0; i--) {
      const [we, k, lead] = [w.pick(3) * 10, key(), w.pick(3) * 10];
      const ids = [w.pick(50), 50 + w.pick(50), 9007199254740993n] as const;
      const values = [number(), number(), String(w.pick(9))] as const;
      const data = Buffer.from([w.pick(256), epoch]);
      const n = seq++;
      const lane = w.pick(2);
      const all = w.chance(0.5);
      work.push(w.one([
        (s: StateStore, tx: StateTx) => tx.upsert(s.table(specs[0] as TableSpec), [we, k, we - 10, values[0], values[2]], 1),
        (s: StateStore, tx: StateTx) => tx.upsert(s.table(specs[1] as TableSpec), [ids[0], data, ids[1], null, ids[2], data], 3),
        (s: StateStore, tx: StateTx) => tx.deletePrefix(s.table(specs[0] as TableSpec), [we]),
        (s: StateStore, tx: StateTx) => tx.deletePrefix(s.table(specs[0] as TableSpec), [we, k]),
        (s: StateStore, tx: StateTx) => tx.appendPacked(s.table(specs[0] as TableSpec), lead, lane, n, 1, data),
        (s: StateStore, tx: StateTx) => tx.deletePacked(s.table(specs[0] as TableSpec), lead, all ? null : lane),
        (_s: StateStore, tx: StateTx) => tx.put('op', 'x', values[1]),
      ]));
    }
    const output = w.chance(0.5);
    const e: EpochWrite = {
      epoch, delivery: output ? epoch : (both[0].saved().delivery), positions: [{ source: 'a', topic: 't', topicId: 'i', partition: w.pick(2), next: epoch, maxEventTime: w.chance(0.2) ? -Infinity : epoch * 3 }],
      watermarks: new Map([['a', w.chance(0.1) ? -Infinity : epoch]]), counters: new Map([['n', epoch]]), deadLetters: [], out: output ? [{ topic: 'o', partition: 1, rows: 2, data: Buffer.from([epoch]) }] : [],
    };
    for (const s of both) s.commit(e, tx => { for (const run of work) run(s, tx); });
    if (w.chance(0.2)) for (const s of both) s.clearOutbox();
    if (w.chance(0.15)) {
      for (const s of both) expect(() => s.commit({ ...e, epoch: 999 }, tx => { tx.put('op', 'y', epoch); tx.deletePrefix(s.table(specs[0] as TableSpec), [10]); throw new Error('no'); })).toThrow('no');
    }
    if (w.chance(0.2)) {
      for (const s of both) s.close();
      both = open();
    }
    expect(seen(both[1]), `epoch ${epoch}`).toEqual(seen(both[0]));
  }
  for (const s of both) s.close();
  rmSync(dir, { recursive: true, force: true });
});
