import type { OutBlock, Saved, StateStore } from '../../src/state/store.ts';
import { Broker, split, type TopicOffsets } from './broker.ts';
import type { StoredRecord } from './broker-log.ts';
import { type CommitFate, Disk, SimStore } from './disk.ts';
import { Life, type LifeOptions } from './life.ts';
import { Ends } from './ends.ts';
import { Network } from './network.ts';
import { type Positions, Scene } from './scene.ts';
import { type Actor, turn, World } from './world.ts';

export interface Outcome {
  readonly seed: number;
  /** What broke a promise, or null. */
  readonly problem: string | null;
  readonly steps: number;
  readonly lives: number;
  /** How often each kind of fault happened. */
  readonly faults: ReadonlyMap<string, number>;
  /** In words, for whoever looks at one seed. */
  readonly about: string;
  readonly journal: readonly string[];
}

/** Processes that are disturbed, at most; those that follow have a world without faults. */
const DISTURBED = 3;
const MOST_STEPS = 60_000;
const HEALED_MS = 400_000;
/** Ends that a disturbed process may come to. */
const ALLOWED = new Set(['system.resource.disk', 'system.sink.fenced', 'system.run.drain_deadline', 'system.source.unreachable', 'system.sink.unreachable']);

type Fate = 'none' | 'kill' | 'kill in commit' | 'disk full' | 'stop' | 'stall' | 'second process' | 'clock jump' | 'broker restart' | 'leaders move';

class Broken extends Error {}

/** Runs one seed to its end; within `virtually`. */
export async function simulate(seed: number): Promise<Outcome> {
  await turn();
  const s = new Simulation(seed);
  let problem: string | null = null;
  try {
    await s.run();
  } catch (error) {
    problem = error instanceof Broken ? error.message : `${(error as Error).stack}`;
  }
  const { shape, partitions, ticking, exactlyOnce, onError } = s.scene;
  return {
    seed, problem, steps: s.world.steps, lives: s.lives, faults: s.net.faults, journal: s.journal,
    about: `${shape.name}, ${partitions} partitions, ${s.scene.inputs.length} records${ticking ? ', ticking' : ''}${exactlyOnce ? '' : ', at least once'}${s.net.second ? ', KIP-890' : ''}, on_error ${onError}`,
  };
}

class Simulation {
  readonly world: World;
  readonly scene: Scene;
  readonly net: Network;
  readonly broker: Broker;
  readonly journal: string[] = [];
  lives = 0;
  #disk = new Disk('s1');
  /** Where each process keeps its state. */
  readonly #disks = new Map<string, Disk>();
  /** Of output: how many of each `topic value` are still to come. */
  #due = new Map<string, number>();
  /** In place of what is due, where rows come at each end of the input. */
  readonly #ends: Ends | null;
  readonly #seen = new Map<string, number>();
  readonly #places = new Map<string, number>();
  #expectedNow = false;
  /** Epochs with output, of all processes. */
  #outputs = 0;
  #marker = 0;
  #owner: string | null = null;
  /** Committed offsets by partition, of each line of descent of the state. */
  readonly #offsets = new Map<Disk, Map<string, number>>();
  #healed = false;

  constructor(seed: number) {
    this.world = new World(seed);
    const w = this.world;
    this.scene = new Scene(w, seed);
    this.#ends = this.scene.shape.updates === true ? new Ends(this.scene) : null;
    this.broker = new Broker(w, { visible: (t, p, r) => this.#visible(t, p, r), committed: (g, o) => this.#committed(g, o) });
    this.net = new Network(w, this.broker, 1 + w.pick(2), w.chance(0.5));
    this.broker.markerDelay = () => (w.chance(0.05) ? w.between(0, 600) : w.between(0.1, 5));
  }

  async run(): Promise<void> {
    const { world: w, scene, net } = this;
    scene.prepare(w, this.broker);
    if (!scene.ticking) {
      if (this.#ends === null) for (const [topic, values] of scene.expected(new Set()).out) for (const v of values) add(this.#due, `${topic} ${v}`, 1);
      if (scene.onError === '{topic: dead}') for (const i of this.#bad(scene.expected(new Set()).late)) add(this.#due, `dead ${i}`, 1);
      this.#expectedNow = scene.exactlyOnce;
    }
    net.rate = w.one([0, 0, 0.01, 0.05, 0.15]);
    for (let n = 0; n < DISTURBED && w.chance(n === 0 ? 0.9 : 0.4); n++) await this.#disturbed();
    for (let n = this.#ends === null ? 0 : w.pick(4); n > 0; n--) {
      await this.#pass(w.between(0, 3000));
      await this.#disturbed();
    }
    await this.#heal();
    for (let n = 0; ; n++) {
      const life = this.#life(this.#disk, false, 'none');
      await this.#until(life, () => false, HEALED_MS);
      const code = codeOf(life.end?.error);
      if (life.end?.error === null) { this.#reached(life); break; }
      // requests that were late from before may still fence
      if (code !== 'system.sink.fenced' || n > 4) throw new Broken(`the last process ended with ${describe(life.end?.error)}`);
    }
    // at once: a process that has ended well has waited until its last transaction is readable
    this.#checkEnd();
  }

  /** No more faults, every broker is up, and all of the input is there. */
  async #heal(): Promise<void> {
    this.#healed = true;
    this.net.rate = 0;
    await this.#pass(Math.max(0, this.scene.sentAt - this.world.now) + 1);
    while (!this.net.ids.every(id => this.net.up(id))) await this.#pass(1000);
    this.#note('no more faults');
  }

  /** One process, and what happens to it. */
  async #disturbed(): Promise<void> {
    const { world: w, net, scene } = this;
    const following = this.#following();
    const fate: Fate = w.one(['kill', 'kill', 'kill in commit', 'kill in commit', 'disk full', 'stop', 'stall', 'second process', 'second process', 'clock jump', 'broker restart', 'leaders move', 'none']);
    const after = Math.floor(10 ** w.between(0, 2.7));
    const life = this.#life(this.#disk, following, fate);
    await this.#steps(life, after);
    // most of all while an epoch is on its way
    if (w.chance(0.4)) {
      const outputs = this.#outputs;
      await this.#until(life, () => this.#outputs > outputs, 3000);
      await this.#steps(life, w.pick(16));
    }
    if (life.end !== null || life.actor.dead) return this.#over(life);
    if (fate !== 'none' && fate !== 'kill in commit' && fate !== 'disk full') this.#note(`${fate} ${life.actor.name}`, fate);
    switch (fate) {
      case 'kill': life.kill(net); break;
      case 'stop': life.term(); break;
      case 'stall': await this.#stall(life); break;
      case 'second process': return this.#second(life);
      case 'clock jump': life.actor.jump = w.between(-1_800_000, 1_800_000); break;
      case 'broker restart': net.restart(w.one(net.ids), w.between(10, w.chance(0.1) ? 40_000 : 2000)); break;
      case 'leaders move': net.move(); break;
      default:
    }
    await this.#until(life, () => following && w.now > scene.sentAt + 1000 && w.chance(0.01), 100_000);
    if (life.end === null && !life.actor.dead) {
      if (w.chance(0.5)) { this.#note(`stop ${life.actor.name}`, 'stop'); life.term(); await this.#until(life, () => false, 100_000); }
      if (life.end === null && !life.actor.dead) { this.#note(`kill ${life.actor.name}`, 'kill'); life.kill(net); }
    }
    return this.#over(life);
  }

  async #stall(life: Life): Promise<void> {
    life.actor.frozen = true;
    await this.#pass(this.world.between(10, this.world.chance(0.3) ? 130_000 : 3000));
    this.world.thaw(life.actor);
  }

  /** The first process stands still, another one starts elsewhere on a copy of its state, and the first wakes up. */
  async #second(first: Life): Promise<void> {
    const { world: w, net } = this;
    first.actor.frozen = w.chance(0.8);
    const disk = this.#disks.get(first.actor.name) as Disk;
    const second = this.#life(disk.copy(), this.#following(), 'none');
    await this.#steps(second, Math.floor(10 ** w.between(0, 2.5)));
    if (first.actor.frozen) w.thaw(first.actor);
    const limit = w.now + 20_000;
    while (w.now < limit && !(first.end !== null || first.actor.dead) && !(second.end !== null || second.actor.dead)) this.#look(await this.world.step());
    if (w.chance(0.5)) await this.#until(second.end !== null ? first : second, () => w.chance(0.002), 5000);
    for (const life of [first, second]) {
      if (life.end === null && !life.actor.dead) { this.#note(`kill ${life.actor.name}`, 'kill'); life.kill(net); }
      this.#judge(life, true);
    }
    // whoever owns the pipeline by the marker goes on, and nobody else
    await this.#pass(5000);
    const winner = this.#owner === second.actor.name ? second : first;
    this.#disk = this.#disks.get(winner.actor.name) as Disk;
    this.#note(`goes on with the state of ${winner.actor.name}`);
  }

  /** What a process left is what the next one finds, or an older copy of it. */
  async #over(life: Life): Promise<void> {
    this.#judge(life, false);
    const { world: w } = this;
    if (!w.chance(0.12)) return;
    const before = this.#disk.copy();
    const old = before.copy(1 + w.pick(3));
    this.#note('an older copy of the state', 'lost tail');
    const next = this.#life(old, this.#following(), 'none');
    await this.#until(next, () => w.chance(0.005), 100_000);
    if (next.end === null && !next.actor.dead) next.kill(this.net);
    this.#judge(next, true);
    await this.#pass(5000);
    const refused = codeOf(next.end?.error) === 'system.state.rolled_back';
    const accepted = old.content().epoch > 0 && this.#owner === next.actor.name;
    if (refused || !accepted) this.#disk = before;
    else this.#disk = old;
  }

  #judge(life: Life, copy: boolean): void {
    const { error } = life.end ?? { error: null };
    if (error === null) return this.#reached(life);
    const code = codeOf(error);
    this.#note(`${life.actor.name} ended: ${code ?? describe(error)}`);
    // a delivery is tried until it arrives, or the process is told to stop
    const gaveUp = code === 'system.sink.unreachable' && !life.stopped && (error as Error).message.startsWith('cannot deliver');
    if (code !== null && !gaveUp && (ALLOWED.has(code) || (copy && code === 'system.state.rolled_back'))) return;
    throw new Broken(`${life.actor.name} ended with ${describe(error)}`);
  }

  /** Whether the next process follows. */
  #following(): boolean { return this.#ends === null && (this.world.now < this.scene.sentAt || this.world.chance(0.3)); }

  /** A process that has ended well, and by itself, has come to the end of the input. */
  #reached(life: Life): void {
    if (this.#ends === null || life.end === null || life.stopped) return;
    this.#ends.reached((this.#disks.get(life.actor.name) as Disk).content().positions, life.actor.name);
    this.#note(`${life.actor.name} has come to the end`);
  }

  #life(disk: Disk, following: boolean, fate: Fate): Life {
    const w = this.world;
    const name = `r${++this.lives}`;
    this.#disk = disk;
    this.#disks.set(name, disk);
    let left = fate === 'kill in commit' || fate === 'disk full' ? 1 + w.pick(w.chance(0.5) ? 3 : 10) : Infinity;
    const commitFate = (): CommitFate => {
      if (--left > 0) return 'well';
      left = Infinity;
      this.#note(`${fate} ${name}`, fate);
      return fate === 'disk full' ? 'disk full' : w.one(['killed before', 'killed after'] as const);
    };
    const options: LifeOptions = this.scene.life(w, following);
    this.#note(`${name} starts, ${following ? 'following' : 'until-end'}, at ${disk.transactions.length}, fate ${fate}, batch ${options.batchRows}, checkpoint ${options.checkpoint}`);
    // of an epoch whose process was killed as soon as it was committed
    this.#ends?.epoch(disk.content());
    const open = (actor: Actor): StateStore => {
      const store: SimStore = new SimStore(disk, actor, { fate: commitFate, committed: (before, after) => this.#epoch(name, before, after) });
      return store;
    };
    return new Life(w, this.net, name, open, options);
  }

  /** Behind each step: `more` is false when there was none. */
  #look(more: boolean): void {
    if (!more) throw new Broken('nothing happens any more');
    const wrong = this.#failure ?? this.net.broken;
    if (wrong !== null) throw new Broken(wrong);
    if (this.world.steps > MOST_STEPS) throw new Broken(`${MOST_STEPS} steps and no end`);
  }

  async #steps(life: Life, n: number): Promise<void> { for (let i = 0; i < n && life.end === null && !life.actor.dead; i++) this.#look(await this.world.step()); }

  async #pass(ms: number): Promise<void> {
    let over = false;
    this.world.after(ms, null, () => { over = true; });
    while (!over) this.#look(await this.world.step());
  }

  async #until(life: Life, enough: () => boolean, ms: number): Promise<void> {
    const limit = this.world.now + ms;
    while (life.end === null && !life.actor.dead && !enough()) {
      this.#look(await this.world.step());
      if (this.world.now <= limit) continue;
      if (this.#healed) throw new Broken(`${life.actor.name} has not come to its end in ${ms / 1000} s without faults`);
      return;
    }
  }

  #note(text: string, fault?: string): void {
    this.journal.push(`${this.world.now.toFixed(2)} [${this.world.steps}] ${text}`);
    if (fault !== undefined) this.net.note(fault);
  }

  #failure: string | null = null;
  /** Noted here, since it happens deep inside of what is looked at. */
  #fail(what: string): void { this.#failure ??= what; }

  #visible(topic: string, partition: number, records: readonly StoredRecord[]): void {
    for (const { key, value } of records) {
      const name = `${topic} ${value}`;
      if (key !== null && topic !== 'dead') {
        const place = `${topic} ${key}`;
        const known = this.#places.get(place) ?? partition;
        this.#places.set(place, known);
        if (known !== partition) this.#fail(`key ${key} of ${topic} is in partition ${partition}, before in ${known}`);
      }
      if (this.#ends !== null && topic !== 'dead') {
        const wrong = this.#ends.row(topic, String(value));
        if (wrong !== null) this.#fail(wrong);
        continue;
      }
      add(this.#seen, name, 1);
      if (!this.#expectedNow) continue;
      const left = this.#due.get(name) ?? 0;
      if (left === 0) this.#fail(`${(this.#seen.get(name) ?? 0) > 1 ? 'doubled' : 'wrong'}: ${name}`);
      else this.#due.set(name, left - 1);
    }
    this.#note(`visible: ${records.length} of ${topic}/${partition}`);
  }

  #committed(_group: string, offsets: TopicOffsets): void {
    const [first] = offsets;
    if (first === undefined) return;
    const { e, r } = JSON.parse(first.metadata) as { e: number; r: string };
    this.#note(`marker ${e} of ${r}`);
    const disk = this.#disks.get(r) as Disk;
    const before = this.#offsets.get(disk) ?? new Map<string, number>();
    this.#offsets.set(disk, before);
    for (const o of offsets) {
      const place = `${o.topic}/${o.partition}`;
      if (this.scene.exactlyOnce && o.offset < (before.get(place) ?? 0)) this.#fail(`the committed offset of ${place} goes back from ${before.get(place)} to ${o.offset}`);
      before.set(place, o.offset);
    }
    if (!this.scene.exactlyOnce) { this.#owner = r; return; }
    if (e < this.#marker) this.#fail(`the marker goes back from ${this.#marker} to ${e}`);
    this.#marker = e;
    this.#owner = r;
    const { deliveries } = disk.content();
    const last = [0, ...deliveries].slice(-2);
    if (!last.includes(e)) this.#fail(`the marker says ${e}, the last deliveries of ${r} are ${last.join(', ')}`);
  }

  #epoch(name: string, before: Pick<Saved, 'epoch' | 'delivery' | 'watermarks'> & { positions: Positions; outbox: readonly OutBlock[] }, after: typeof before): void {
    this.#ends?.epoch(after);
    this.#note(`${name} epoch ${after.epoch}, delivery ${after.delivery}`);
    if (after.delivery === after.epoch) this.#outputs++;
    if (after.epoch !== before.epoch + 1) this.#fail(`epoch ${after.epoch} after ${before.epoch}`);
    if (after.delivery < before.delivery) this.#fail(`delivery ${after.delivery} after ${before.delivery}`);
    for (const [place, { next }] of before.positions) if ((after.positions.get(place)?.next ?? -1) < next) this.#fail(`the position of ${place} goes back from ${next}`);
    for (const [source, wm] of before.watermarks) if ((after.watermarks.get(source) ?? -Infinity) < wm) this.#fail(`the watermark of ${source} goes back from ${wm}`);
  }

  /** Values that a dead-letter topic gets. */
  #bad(late: readonly { readonly value: string }[]): string[] { return [...this.scene.inputs.filter(i => i.kind !== 'row'), ...late].map(i => i.value); }

  #checkEnd(): void {
    const { scene } = this;
    const lost = this.#ends?.lost() ?? null;
    if (lost !== null) throw new Broken(lost);
    const saved = this.#disk.content();
    const letters = saved.deadLetters.map(d => ({ code: d.code as string, place: `${d.topic}/${d.partition}/${d.offset}` }));
    const expected = scene.expected(new Set(letters.filter(l => l.code === 'user.data.late').map(l => l.place)));
    const due = new Map<string, number>();
    if (this.#ends === null) for (const [topic, values] of expected.out) for (const v of values) add(due, `${topic} ${v}`, 1);
    const policy = scene.ticking ? 'dead_letters' : scene.onError;
    if (policy === '{topic: dead}') for (const v of this.#bad(expected.late)) add(due, `dead ${v}`, 1);
    for (const [name, n] of due) {
      const seen = this.#seen.get(name) ?? 0;
      if (seen < n) throw new Broken(`lost: ${name} (${seen} of ${n})`);
      if (seen > n && scene.exactlyOnce) throw new Broken(`doubled: ${name} (${seen} of ${n})`);
    }
    for (const name of this.#seen.keys()) if (!due.has(name)) throw new Broken(`wrong: ${name}`);
    const kinds = { future: scene.inputs.filter(i => i.kind === 'future'), bad: scene.inputs.filter(i => i.kind === 'bad') };
    if (policy === 'dead_letters') {
      const kept = letters.map(l => l.place).sort();
      const wanted = [...kinds.future, ...kinds.bad, ...expected.late].map(i => scene.place(i)).sort();
      if (kept.join() !== wanted.join()) throw new Broken(`dead letters are ${kept.join(' ')}, expected ${wanted.join(' ')}`);
    }
    if (policy !== 'dead_letters' && letters.length > 0) throw new Broken(`${letters.length} dead letters in the state file, which should have none`);
    const sent = [...expected.out.values()].reduce((n, v) => n + v.length, 0);
    // at least once, how often a group came again is known to nobody
    const rows_out = this.#ends === null ? sent : scene.exactlyOnce ? this.#ends.count : saved.counters.get('rows_out') ?? 0;
    const wanted = { records_in: scene.inputs.length, future: kinds.future.length, undecodable: kinds.bad.length, late: expected.late.length, filtered: expected.filtered, failed: 0, rows_out };
    for (const [name, n] of Object.entries(wanted)) if (saved.counters.get(name) !== n && (n > 0 || (saved.counters.get(name) ?? 0) > 0)) throw new Broken(`${name} is ${saved.counters.get(name)}, expected ${n}`);
    if (scene.exactlyOnce && this.#marker !== saved.delivery) throw new Broken(`the marker says ${this.#marker}, the last delivery is ${saved.delivery}`);
    if (saved.outbox.length > 0) throw new Broken('a clean stop left an outbox');
    // without transactions a commit that comes late is one that counts
    if (!scene.exactlyOnce) return;
    for (const [place, offset] of this.#offsets.get(this.#disk) ?? []) {
      const next = [...saved.positions.values()].filter(p => p.topic === split(place)[0] && p.partition === split(place)[1]).reduce((n, p) => Math.min(n, p.next), Infinity);
      if (next !== offset) throw new Broken(`the committed offset of ${place} is ${offset}, the position ${next}`);
    }
  }
}

const add = (m: Map<string, number>, name: string, n: number): void => { m.set(name, (m.get(name) ?? 0) + n); };
const codeOf = (error: unknown): string | null => (error as { code?: string } | null | undefined)?.code ?? null;
const describe = (error: unknown): string => (error instanceof Error ? `${codeOf(error) ?? error.name}: ${error.stack}` : String(error));
