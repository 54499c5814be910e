import { PipeError } from '../../src/errors.ts';
import { tableSql } from '../../src/state/schema.ts';
import { LANE_PIECES, type ClaimTx, type DeadLetter, type EpochWrite, type LetterBook, type OutBlock, type Position, type Saved, type SqlValue, type StateStore, type StateTable, type StateTx, type TableSpec } from '../../src/state/store.ts';
import { type Actor, Killed } from './world.ts';

type Row = readonly SqlValue[];

/** What the tables of a state file hold. */
interface Content {
  epoch: number;
  delivery: number;
  /** Epochs that had output, newest last. */
  deliveries: number[];
  readonly tables: Map<string, { readonly spec: TableSpec; readonly rows: Map<string, Row> }>;
  readonly packed: Map<string, { readonly lead: number; readonly seq: number; readonly data: Buffer }>;
  readonly operators: Map<string, SqlValue>;
  readonly positions: Map<string, Position>;
  readonly watermarks: Map<string, number>;
  readonly counters: Map<string, number>;
  readonly deadLetters: DeadLetter[];
  outbox: OutBlock[];
  plan: string | null;
}

type Change = (c: Content) => void;

/** The transactions of a state file in their order, as its write-ahead log has them: with synchronous=FULL each is durable before the next begins. */
export class Disk {
  readonly id: string;
  transactions: Change[] = [];

  constructor(id: string) { this.id = id; }

  /** Another place with the same file, without its last `lost` transactions. */
  copy(lost = 0): Disk {
    const d = new Disk(this.id);
    d.transactions = this.transactions.slice(0, Math.max(0, this.transactions.length - lost));
    return d;
  }

  content(): Content {
    const c: Content = {
      epoch: 0, delivery: 0, deliveries: [], tables: new Map(), packed: new Map(), operators: new Map(), positions: new Map(), watermarks: new Map(), counters: new Map(), deadLetters: [], outbox: [], plan: null,
    };
    for (const t of this.transactions) t(c);
    return c;
  }
}

/** What becomes of a commit. */
export type CommitFate = 'well' | 'killed before' | 'killed after' | 'disk full';

export interface DiskPlan {
  /** Asked once for each transaction. */
  fate(): CommitFate;
  /** After each epoch. */
  committed(before: Content, after: Content): void;
}

/** A StateStore on a Disk. A kill leaves a transaction whole or not at all: SQLite leaves torn frames of its log out by their checksums. */
export class SimStore implements StateStore {
  readonly #disk: Disk;
  readonly #owner: Actor;
  readonly #plan: DiskPlan;
  #content: Content;
  #closed = false;

  constructor(disk: Disk, owner: Actor, plan: DiskPlan) {
    this.#disk = disk;
    this.#owner = owner;
    this.#plan = plan;
    this.#content = disk.content();
  }

  get stateId(): string { return this.#disk.id; }
  get fresh(): boolean { return this.#content.epoch === 0; }

  table(spec: TableSpec): StateTable {
    this.#check();
    const known = this.#content.tables.get(spec.name);
    if (known === undefined) this.#write(c => { c.tables.set(spec.name, { spec, rows: new Map() }); });
    else if (tableSql(known.spec)[0] !== tableSql(spec)[0]) throw new Error(`table ${spec.name} has changed`);
    const rows = (): Row[] => [...(this.#content.tables.get(spec.name)?.rows.values() ?? [])].sort((a, b) => compareKeys(a, b, spec.key));
    return { spec, scan: rows, packed: () => this.#packed(spec.name), runs: () => [], spilledSizes: () => [], spilled: () => [] };
  }

  plan(): string | null { return this.#content.plan; }
  shapes(): ReadonlyMap<string, string> { return new Map(); }
  holds(name: string): boolean { return (this.#content.tables.get(name)?.rows.size ?? 0) > 0 || this.#packed(name).length > 0; }
  onDisk(): boolean { return false; }
  partial(): ReadonlySet<string> { return new Set([...this.#content.operators.keys()].filter(k => k.endsWith(' partial')).map(k => k.slice(0, -' partial'.length))); }

  /** The file of a pipeline does not change here: only the plan is noted. */
  claim(write: (tx: ClaimTx) => void): void {
    const changes: Change[] = [];
    const others = new Proxy({}, { get: (_, name) => () => { throw new Error(`no ${String(name)} in a simulation`); } }) as ClaimTx;
    write(Object.assign(Object.create(others) as ClaimTx, { plan: (json: string) => { changes.push(c => { c.plan = json; }); } }));
    this.#write(c => { for (const change of changes) change(c); });
  }

  stage(): void { throw new Error('no backfill in a simulation'); }
  unstage(): void {}
  backlog(): null { return null; }
  deadRecords(): ReadonlySet<string> { return new Set(this.#content.deadLetters.map(d => `${d.topic}/${d.partition}/${d.offset}`)); }

  /** Nobody replays. */
  readonly letters: LetterBook = { pending: () => null, begin: () => { throw new Error('no replay in a simulation'); }, settle: () => undefined, drop: () => 0 };

  get(operator: string, name: string): SqlValue | undefined { return this.#content.operators.get(`${operator} ${name}`); }

  saved(): Saved {
    const { epoch, delivery, positions, watermarks, counters } = this.#content;
    return { epoch, delivery, positions: [...positions.values()], watermarks: new Map(watermarks), counters: new Map(counters) };
  }

  outbox(): readonly OutBlock[] { return this.#content.outbox.map(b => ({ ...b, data: Buffer.from(b.data) })); }

  commit(e: EpochWrite, write: (tx: StateTx) => void): void {
    const changes: Change[] = [];
    write(recorder(changes));
    const positions = [...e.positions];
    const watermarks = new Map(e.watermarks);
    const counters = new Map(e.counters);
    const letters = e.deadLetters.map(d => ({ ...d }));
    const out = e.out.map(b => ({ ...b, data: Buffer.from(b.data) }));
    changes.push(c => {
      for (const p of positions) c.positions.set(`${p.source} ${p.partition}`, p);
      for (const [s, w] of watermarks) c.watermarks.set(s, w);
      for (const [n, v] of counters) c.counters.set(n, v);
      c.deadLetters.push(...letters);
      c.outbox = out;
      c.epoch = e.epoch;
      c.delivery = e.delivery;
      if (out.length > 0) c.deliveries.push(e.epoch);
    });
    const { epoch, delivery, deliveries } = this.#content;
    const before: Content = { ...this.#content, epoch, delivery, deliveries: [...deliveries], positions: new Map(this.#content.positions), watermarks: new Map(this.#content.watermarks) };
    this.#write(c => { for (const change of changes) change(c); });
    this.#plan.committed(before, this.#content);
  }

  clearOutbox(): void {
    if (this.#content.outbox.length > 0) this.#write(c => { c.outbox = []; });
  }

  checkpoint(): void {}
  close(): void { this.#closed = true; }

  #check(): void {
    if (this.#owner.dead || this.#closed) throw new Killed();
  }

  #write(change: Change): void {
    this.#check();
    const fate = this.#plan.fate();
    if (fate === 'disk full') throw new PipeError('system.resource.disk', 'the disk is full', { retriable: true });
    if (fate === 'killed before') { this.#owner.dead = true; throw new Killed(); }
    this.#disk.transactions.push(change);
    change(this.#content);
    if (fate === 'killed after') { this.#owner.dead = true; throw new Killed(); }
  }

  #packed(table: string): { lead: number; lane: number; data: Buffer }[] {
    return [...this.#content.packed].filter(([key]) => key.startsWith(`${table} `)).map(([, p]) => p)
      .sort((a, b) => a.lead - b.lead || a.seq - b.seq).map(p => ({ lead: p.lead, lane: Math.floor(p.seq / LANE_PIECES), data: p.data }));
  }
}

/** What an epoch writes, to be done in one go. */
function recorder(changes: Change[]): StateTx {
  const disk = (): never => { throw new Error('no state on disk in a simulation'); };
  return {
    putSpilled: disk, deleteSpilled: disk, dropBacklog: () => undefined,
    upsert: ({ spec }, flat, rows) => {
      const width = spec.columns.length;
      const copies = Array.from({ length: rows }, (_, i) => flat.slice(i * width, (i + 1) * width).map((v, j) => stored(v, spec.columns[j]?.type)));
      changes.push(c => { for (const row of copies) c.tables.get(spec.name)?.rows.set(keyText(row, spec.key), row); });
    },
    deletePrefix: ({ spec }, prefix) => {
      const text = keyText(prefix, prefix.length);
      changes.push(c => { const rows = c.tables.get(spec.name)?.rows; for (const [key, row] of rows ?? []) if (keyText(row, prefix.length) === text) rows?.delete(key); });
    },
    appendPacked: ({ spec }, lead, lane, seq, _groups, data) => {
      const at = lane * LANE_PIECES + seq;
      const copy = Buffer.from(data);
      changes.push(c => {
        const key = `${spec.name} ${lead} ${at}`;
        if (c.packed.has(key)) throw new Error(`piece ${key} is there already`);
        c.packed.set(key, { lead, seq: at, data: copy });
      });
    },
    deletePacked: ({ spec }, lead, lane) => {
      changes.push(c => {
        for (const [key, p] of c.packed) if (key.startsWith(`${spec.name} `) && p.lead === lead && (lane === null || Math.floor(p.seq / LANE_PIECES) === lane)) c.packed.delete(key);
      });
    },
    put: (operator, name, value) => { changes.push(c => { c.operators.set(`${operator} ${name}`, typeof value === 'bigint' ? Number(value) : value); }); },
  };
}

/** Column affinity, as far as it matters here: a whole REAL comes back as a number, bytes as a Buffer. */
const stored = (v: SqlValue, type: string | undefined): SqlValue =>
  v instanceof Uint8Array ? Buffer.from(v) : typeof v === 'bigint' && (type === 'REAL' || (v >= -9007199254740991n && v <= 9007199254740991n)) ? Number(v) : v;

const keyText = (row: Row, n: number): string => row.slice(0, n).map(v => (v === null ? 'null' : v instanceof Uint8Array ? `x${Buffer.from(v).toString('hex')}` : `${typeof v === 'string' ? 's' : 'n'}${String(v)}`)).join('\u0001');

/** As SQLite orders: NULL, numbers, text, bytes. */
function compareKeys(a: Row, b: Row, n: number): number {
  for (let j = 0; j < n; j++) {
    const [x, y] = [a[j] as SqlValue, b[j] as SqlValue];
    const rank = (v: SqlValue): number => (v === null ? -1 : v instanceof Uint8Array ? 2 : typeof v === 'string' ? 1 : 0);
    if (rank(x) !== rank(y)) return rank(x) - rank(y);
    if (x === y || x === null || y === null) continue;
    const order = rank(x) === 0 ? (x < y ? -1 : 1) : Buffer.compare(Buffer.from(x as string), Buffer.from(y as string));
    if (order !== 0) return order;
  }
  return 0;
}
