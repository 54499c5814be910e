import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PipeError } from '../../src/errors.ts';
import { DeadLetterFile } from '../../src/state/dead-letter-file.ts';
import { makeFolders, present } from '../../src/state/folders.ts';
import { StateReader } from '../../src/state/reader.ts';
import { openStateStore } from '../../src/state/sqlite.ts';
import type { EpochWrite, SqlValue, StateStore, StateTx, TableSpec } from '../../src/state/store.ts';
import { Database } from '../../src/state/database.ts';

const SQLITE = createRequire(import.meta.url).resolve(Number.parseInt(process.versions.node, 10) >= 22 ? 'better-sqlite3-napi' : 'better-sqlite3');

let dir: string;
let path: string;
const open: StateStore[] = [];

beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'pipe-state-')); path = join(dir, 'state', 'p@embedded.db'); });
afterEach(() => {
  for (const s of open.splice(0)) s.close();
  rmSync(dir, { recursive: true, force: true });
});

function start(more: { reset?: boolean; pipeline?: string; logId?: string } = {}): StateStore {
  const store = openStateStore({ path, pipeline: more.pipeline ?? 'p', logId: more.logId ?? 'embedded', reset: more.reset ?? false });
  open.push(store);
  return store;
}

function stop(store: StateStore): void {
  open.splice(open.indexOf(store), 1);
  store.close();
}

const epoch = (n: number, more: Partial<EpochWrite> = {}): EpochWrite => ({ epoch: n, delivery: 0, positions: [], watermarks: new Map(), counters: new Map(), deadLetters: [], out: [], ...more });

const sums: TableSpec = { name: 'sums', key: 2, columns: [{ name: 'window_end', type: 'INTEGER' }, { name: 'account', type: 'TEXT' }, { name: 'total', type: 'INTEGER' }] };

const rowsOf = (store: StateStore, spec: TableSpec): SqlValue[][] => [...store.table(spec).scan()].map(r => [...r]);

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return error instanceof PipeError ? error.code : String(error);
  }
  return 'no error';
};

describe('folders', () => {
  it('are made with those above them, for their owner alone', () => {
    const folder = join(dir, 'a', 'b', 'c');
    makeFolders(folder);
    makeFolders(folder);
    expect([statSync(join(dir, 'a')).mode & 0o777, statSync(folder).mode & 0o777]).toEqual([0o700, 0o700]);
    writeFileSync(join(dir, 'file'), '');
    expect(() => makeFolders(join(dir, 'file'))).toThrow('EEXIST');
    expect(() => makeFolders(join(dir, 'file', 'x'))).toThrow('ENOTDIR');
    if (process.platform === 'linux') expect(() => makeFolders('/proc/none/here')).toThrow('ENOENT');
  });

  it('that cannot be looked into are not empty', () => {
    symlinkSync('loop', join(dir, 'loop'));
    expect(() => present(join(dir, 'loop', 'x'))).toThrow('ELOOP');
    writeFileSync(join(dir, 'file'), '');
    expect([present(dir), present(join(dir, 'x')), present(join(dir, 'x', 'y')), present(join(dir, 'file', 'x'))]).toEqual([true, false, false, false]);
    path = join(dir, 'loop', 'p.db');
    expect(codeOf(() => DeadLetterFile.find(path))).toBe('system.source.unreachable');
    expect(codeOf(() => start())).toBe('system.resource.disk');
  });
});

describe('an epoch', () => {
  it('brings back everything after a restart', () => {
    const store = start();
    const table = store.table(sums);
    expect(store.fresh).toBe(true);
    const position = { source: 's', topic: 't', topicId: 'id', partition: 1, next: 42, maxEventTime: 1704110400000 };
    store.commit(epoch(1, { delivery: 1, positions: [position], watermarks: new Map([['s', 5]]), counters: new Map([['records_in', 42]]), out: [{ topic: 'o', partition: 0, rows: 1, data: Buffer.from('block') }] }), tx => {
      tx.upsert(table, [10, 'a', 1, 10, null, 2, 10, 'c', 9007199254740993n], 3);
      tx.put('agg', 'closed', 7);
    });
    stop(store);
    const again = start();
    expect(again.fresh).toBe(false);
    expect(again.saved()).toEqual({ epoch: 1, delivery: 1, positions: [position], watermarks: new Map([['s', 5]]), counters: new Map([['records_in', 42]]) });
    expect(rowsOf(again, sums)).toEqual([[10, null, 2], [10, 'a', 1], [10, 'c', 9007199254740993n]]);
    expect(again.get('agg', 'closed')).toBe(7);
    expect(again.outbox().map(b => [b.topic, b.partition, b.rows, String(b.data)])).toEqual([['o', 0, 1, 'block']]);
    again.commit(epoch(2, { delivery: 1 }), () => undefined);
    expect(again.outbox()).toEqual([]);
  });

  it('replaces rows by key, NULL keys too, and deletes by prefix', () => {
    const store = start();
    const table = store.table(sums);
    const write = (work: (tx: StateTx) => void): void => store.commit(epoch(store.saved().epoch + 1), work);
    write(tx => tx.upsert(table, [10, null, 1, 20, 'a', 1, 20, 'b', 2], 3));
    write(tx => tx.upsert(table, [10, null, 5, 20, 'a', 6], 2));
    expect(rowsOf(store, sums)).toEqual([[10, null, 5], [20, 'a', 6], [20, 'b', 2]]);
    write(tx => tx.deletePrefix(table, [20, 'a']));
    expect(rowsOf(store, sums)).toEqual([[10, null, 5], [20, 'b', 2]]);
    write(tx => tx.deletePrefix(table, [10, null]));
    write(tx => tx.deletePrefix(table, [20]));
    expect(rowsOf(store, sums)).toEqual([]);
  });

  it('keeps packed pieces by table, window and order', () => {
    const store = start();
    const table = store.table(sums);
    const other = store.table({ ...sums, name: 'others' });
    const pieces = (t: typeof table): [number, string][] => [...t.packed()].map(p => [p.lead, String(p.data)]);
    store.commit(epoch(1), tx => {
      tx.appendPacked(table, 20, 0, 0, 5, Buffer.from('c'));
      tx.appendPacked(table, 10, 0, 0, 5, Buffer.from('a'));
      tx.appendPacked(table, 10, 0, 1, 5, Buffer.from('b'));
      tx.appendPacked(other, 10, 0, 0, 5, Buffer.from('z'));
    });
    stop(store);
    const again = start();
    const back = again.table(sums);
    expect(pieces(back)).toEqual([[10, 'a'], [10, 'b'], [20, 'c']]);
    // pieces alone are groups, too
    expect([again.holds('others'), again.holds('more')]).toEqual([true, false]);
    again.commit(epoch(2), tx => tx.deletePacked(back, 10, 0));
    expect(pieces(back)).toEqual([[20, 'c']]);
  });

  it.each([['1', 'DROP TABLE packed; DROP TABLE backlog; DROP TABLE spilled'], ['2', 'DROP TABLE backlog; DROP TABLE spilled'], ['3', 'DROP TABLE spilled']])('of a file of layout %s goes on in the present layout', (layout, older) => {
    const store = start();
    const rows = store.table(sums);
    store.commit(epoch(1), tx => tx.upsert(rows, [10, 'a', 1], 1));
    stop(store);
    const db = new Database(path);
    db.exec(`${older}; PRAGMA user_version = ${layout}`);
    db.close();
    const again = start();
    const table = again.table(sums);
    expect([...table.packed()]).toEqual([]);
    again.commit(epoch(2), tx => {
      tx.appendPacked(table, 20, 0, 0, 1, Buffer.from('x'));
      tx.putSpilled(table, { lead: 30, start: 20, part: 0, span: 4096, run: 0, groups: 1, data: Buffer.from('y') });
    });
    expect([...table.packed()].length).toBe(1);
    expect(table.runs()).toEqual([{ lead: 30, start: 20, run: 0, groups: 1, bytes: 1 }]);
    expect(rowsOf(again, sums)).toEqual([[10, 'a', 1]]);
  });

  it('finds the pieces of a range of partitions, and deletes those within one', () => {
    const store = start();
    const table = store.table(sums);
    const piece = (lead: number, part: number, span: number, run: number) => ({ lead, start: 0, part, span, run, groups: span, data: Buffer.from(`${part}+${span}`) });
    const all = [piece(10, 0, 4096, 0), piece(10, 0, 1024, 1), piece(10, 1024, 1024, 1), piece(10, 512, 512, 2), piece(10, 1024, 256, 2), piece(10, 1280, 1, 3), piece(20, 0, 4096, 0)];
    store.commit(epoch(1), tx => { for (const p of all) tx.putSpilled(table, p); });
    // by hand: whatever overlaps [from, to)
    const found = (from: number, to: number, first = 0) => [...table.spilled(10, from, to, first)].map(p => [p.run, p.data.toString()]);
    expect(found(0, 4096)).toHaveLength(6);
    expect(found(1280, 1281)).toEqual([[0, '0+4096'], [1, '1024+1024'], [3, '1280+1']]);
    expect(found(600, 1025, 1)).toEqual([[1, '0+1024'], [1, '1024+1024'], [2, '512+512'], [2, '1024+256']]);
    expect(found(4095, 4096)).toEqual([[0, '0+4096']]);
    expect(table.spilledSizes(10).map(s => s.span).sort((a, b) => a - b)).toEqual([1, 256, 512, 1024, 1024, 4096]);
    expect(table.runs().map(r => [r.lead, r.run, r.groups])).toEqual([[10, 0, 4096], [10, 1, 2048], [10, 2, 768], [10, 3, 1], [20, 0, 4096]]);
    store.commit(epoch(2), tx => tx.deleteSpilled(table, 10, 512, 2048, 1, 2));
    expect(found(0, 4096)).toEqual([[0, '0+4096'], [1, '0+1024'], [3, '1280+1']]);
    expect([store.holds('sums'), store.onDisk('sums'), store.onDisk('others')]).toEqual([true, true, false]);
    stop(store);
  });

  it('writes many rows in one statement and reads them in key order', () => {
    const store = start();
    const table = store.table(sums);
    const keys = Array.from({ length: 1000 }, (_, i) => `k${String(i).padStart(4, '0')}`);
    store.commit(epoch(1), tx => tx.upsert(table, keys.flatMap((k, i) => [1, k, i]), 1000));
    expect(rowsOf(store, sums)).toEqual(keys.map((k, i) => [1, k, i]));
  });

  it('leaves nothing of a transaction that failed', () => {
    const store = start();
    const table = store.table(sums);
    expect(() => store.commit(epoch(1), tx => { tx.upsert(table, [1, 'a', 1], 1); throw new Error('no'); })).toThrow('no');
    expect(rowsOf(store, sums)).toEqual([]);
    expect(store.saved().epoch).toBe(0);
  });

  it('can be read by others while it runs, in columns with names and types', () => {
    const store = start();
    const table = store.table(sums);
    store.commit(epoch(1), tx => tx.upsert(table, [10, 'a', 25000], 1));
    const reader = new Database(path, { readonly: true });
    expect(reader.prepare('SELECT window_end, account, total, typeof(total) AS t FROM state_sums').all()).toEqual([{ window_end: 10, account: 'a', total: 25000, t: 'integer' }]);
    store.commit(epoch(2), tx => tx.upsert(table, [10, 'b', 1], 1));
    expect(reader.prepare('SELECT count(*) FROM state_sums').pluck().get()).toBe(2);
    reader.close();
  });

  it('keeps dead letters; past 64 MB only where they are and why', () => {
    const store = start();
    const value = Buffer.alloc(1 << 20, 'x');
    const letter = (offset: number) => ({ source: 's', operator: null, topic: 't', partition: 0, offset, timestamp: 1, code: 'user.data.decode' as const, message: 'no JSON', place: null, key: null, value, size: value.length });
    for (let e = 0; e < 7; e++) store.commit(epoch(e + 1, { deadLetters: Array.from({ length: 10 }, (_, i) => letter(e * 10 + i)) }), () => undefined);
    const reader = new Database(path, { readonly: true });
    expect(reader.prepare('SELECT count(*) AS n, sum(value IS NOT NULL) AS kept, sum(size) AS bytes, count(message) AS messages FROM dead_letters').get()).toEqual({ n: 70, kept: 63, bytes: 70 * (1 << 20), messages: 63 });
    expect(reader.prepare('SELECT "offset", code FROM dead_letters ORDER BY id DESC LIMIT 1').get()).toEqual({ offset: 69, code: 'user.data.decode' });
    expect(store.letters.drop([1, 2, 70, 71])).toBe(3);
    store.commit(epoch(8, { deadLetters: [letter(70), letter(71), letter(72)] }), () => undefined);
    expect(reader.prepare('SELECT id, value IS NOT NULL AS kept FROM dead_letters WHERE id > 69').raw().all()).toEqual([[71, 1], [72, 1], [73, 0]]);
    reader.close();
  });

  it('replays dead letters as a delivery: noted, then gone or still there, also after a restart', () => {
    const store = start();
    const letter = { source: 's', operator: null, topic: 't', partition: 0, offset: 0, timestamp: 1, code: 'user.data.decode' as const, message: 'no JSON', place: null, key: null, value: Buffer.from('x'), size: 1 };
    store.commit(epoch(1, { deadLetters: [letter, letter, letter] }), () => undefined);
    const replay = { epoch: 2, records: 1, letters: [1, 2], marks: [{ topicId: 'id', partition: 0, first: 3, offsets: [1, 5, 4, 9] }] };
    store.letters.begin(replay);
    stop(store);
    const again = start();
    expect(again.letters.pending()).toEqual(replay);
    again.letters.settle(false);
    expect([again.letters.pending(), again.saved().epoch]).toEqual([null, 1]);
    again.letters.begin(replay);
    again.letters.settle(true);
    expect(again.saved()).toMatchObject({ epoch: 2, delivery: 2, counters: new Map([['deliveries', 1], ['replayed', 1]]) });
    stop(again);
    const file = DeadLetterFile.find(path) as DeadLetterFile;
    const replayed = file.replayed('id', 0);
    expect([...file.letters()].map(l => l.id)).toEqual([3]);
    expect([1, 3, 4, 5, 6, 9].map(replayed)).toEqual([false, false, true, true, false, true]);
    expect(file.replayed('other', 0)(4)).toBe(false);
    file.close();
  });
});

describe('a state file', () => {
  const committed = (): void => {
    const store = start();
    store.commit(epoch(1), () => undefined);
    stop(store);
  };

  it('has one writer; the second is told who has it', () => {
    start();
    expect(() => start()).toThrow(`pipeline "p" is running already (process ${process.pid})`);
    expect(codeOf(() => start())).toBe('system.state.locked');
  });

  it('stays locked for other processes, whatever this one looks at', () => {
    // another process that wants all of a file for itself
    const script = 'const [, sqlite, file, sql] = process.argv; const db = new (require(sqlite))(file, { timeout: 0 }); try { db.exec(sql); console.log("free"); } catch (e) { console.log(e.code); }';
    const other = (file: string, sql: string): string => execFileSync(process.execPath, ['-e', script, SQLITE, file, sql], { encoding: 'utf8' }).trim();
    const locks = (): string[] => [other(`${path}.lock`, 'BEGIN EXCLUSIVE'), other(path, 'PRAGMA locking_mode = EXCLUSIVE; SELECT count(*) FROM meta')];
    const store = start();
    store.commit(epoch(1), () => undefined);
    expect(locks()).toEqual(['SQLITE_BUSY', 'SQLITE_BUSY']);
    expect(codeOf(() => start())).toBe('system.state.locked');
    DeadLetterFile.find(path)?.close();
    new StateReader(path).close();
    expect(locks()).toEqual(['SQLITE_BUSY', 'SQLITE_BUSY']);
    stop(store);
    expect(locks()).toEqual(['free', 'free']);
  });

  it('is for its owner alone', () => {
    start();
    expect([statSync(path).mode & 0o777, statSync(join(dir, 'state')).mode & 0o777]).toEqual([0o600, 0o700]);
  });

  it('starts again with another id on reset', () => {
    const first = start();
    first.commit(epoch(1), () => undefined);
    const { stateId } = first;
    stop(first);
    const second = start({ reset: true });
    expect([second.fresh, second.stateId === stateId]).toEqual([true, false]);
  });

  it('is not taken for that of another pipeline, log or program', () => {
    committed();
    expect(codeOf(() => start({ pipeline: 'q' }))).toBe('system.state.foreign');
    expect(codeOf(() => start({ logId: 'cluster' }))).toBe('system.state.foreign');
    rmSync(path);
    rmSync(`${path}.epoch`);
    new Database(path).exec('CREATE TABLE t (x)').close();
    expect(codeOf(() => start())).toBe('system.state.foreign');
  });

  it('is never repaired in silence: damaged, cut, gone, old or newer ones are refused and left as they are', () => {
    committed();
    const whole = readFileSync(path);
    const witness = readFileSync(`${path}.epoch`);
    writeFileSync(path, '');
    expect(codeOf(() => start())).toBe('system.state.corrupt');
    expect(statSync(path).size).toBe(0);
    writeFileSync(path, whole);
    truncateSync(path, whole.length - 100);
    expect(codeOf(() => start())).toBe('system.state.corrupt');
    const scratched = Buffer.from(whole);
    // the second page, by the size in the header
    const page = whole.readUInt16BE(16);
    scratched.fill(0xff, page, 2 * page);
    writeFileSync(path, scratched);
    expect(codeOf(() => start())).toBe('system.state.corrupt');
    const newer = Buffer.from(whole);
    newer.writeUInt32BE(99, 60);
    writeFileSync(path, newer);
    expect(codeOf(() => start())).toBe('system.state.newer');
    writeFileSync(path, whole);
    writeFileSync(`${path}.epoch`, witness.toString().replace(/\d+\n$/, '9\n'));
    expect(codeOf(() => start())).toBe('system.state.rolled_back');
    unlinkSync(path);
    expect(codeOf(() => start())).toBe('system.state.rolled_back');
    expect(existsSync(path)).toBe(false);
  });

  it('that is refused keeps its write-ahead log, so that nothing of what is left of it is lost', () => {
    const store = start();
    for (const n of [1, 2, 3]) store.commit(epoch(n), () => undefined);
    // as a process that is killed leaves it: log torn, the file of the epoch from before
    const [whole, wal] = [readFileSync(path), readFileSync(`${path}-wal`)];
    stop(store);
    writeFileSync(path, whole);
    writeFileSync(`${path}-wal`, wal.subarray(0, wal.length - 100));
    expect(codeOf(() => start())).toBe('system.state.rolled_back');
    expect([readFileSync(path).equals(whole), readFileSync(`${path}-wal`).equals(wal.subarray(0, wal.length - 100))]).toEqual([true, true]);
  });

  it('makes an empty table of other columns anew and refuses one with rows', () => {
    const other = { ...sums, columns: [...sums.columns, { name: 'n', type: 'INTEGER' as const }] };
    const store = start();
    store.table(sums);
    const table = store.table(other);
    store.commit(epoch(1), tx => tx.upsert(table, [1, 'a', 2, 3], 1));
    expect(rowsOf(store, other)).toEqual([[1, 'a', 2, 3]]);
    expect(codeOf(() => store.table(sums))).toBe('system.state.incompatible');
  });

  it('says which tables hold groups', () => {
    const first = start();
    const table = first.table(sums);
    first.table({ ...sums, name: 'empty' });
    first.commit(epoch(1), tx => tx.upsert(table, [1, 'a', 2], 1));
    stop(first);
    const second = start();
    expect(['sums', 'empty', 'none'].map(t => second.holds(t))).toEqual([true, false, false]);
  });
});
