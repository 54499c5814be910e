import type { CompiledPipeline } from '../../src/config/compile.ts';
import { openKafkaLog } from '../../src/connectors/kafka/log.ts';
import { engineParts } from '../../src/engine/parts.ts';
import { PipelineRuntime } from '../../src/engine/runtime.ts';
import { formats } from '../../src/formats/index.ts';
import type { StateStore } from '../../src/state/store.ts';
import type { Network } from './network.ts';
import { Actor, BASE, type World } from './world.ts';

export interface LifeOptions {
  readonly pipeline: CompiledPipeline;
  readonly following: boolean;
  readonly batchRows: number;
  readonly packFrom: number;
  readonly epochBytes: number;
  readonly jit: boolean;
  readonly decoder: 'fast' | 'plain';
  /** ms between epochs. */
  readonly checkpoint: number;
}

/** One process of the pipeline, from its start to its end. */
export class Life {
  readonly actor: Actor;
  /** null while it runs. */
  end: { readonly error: unknown } | null = null;
  readonly #stop = new AbortController();
  readonly #world: World;

  constructor(world: World, net: Network, name: string, openStore: (actor: Actor) => StateStore, o: LifeOptions) {
    this.actor = new Actor(name);
    this.#world = world;
    world.after(0, this.actor, () => {
      this.#run(net, openStore, o).then(() => undefined, (error: unknown) => ({ error })).then(failed => {
        if (this.actor.dead) return;
        this.end = { error: failed?.error ?? null };
        this.actor.dead = true;
        net.kill(this.actor);
      });
    });
  }

  get stopped(): boolean { return this.#stop.signal.aborted; }

  /** SIGTERM. */
  term(): void { this.#world.after(0, this.actor, () => this.#stop.abort()); }

  /** SIGKILL. */
  kill(net: Network): void {
    this.actor.dead = true;
    net.kill(this.actor);
  }

  async #run(net: Network, openStore: (actor: Actor) => StateStore, o: LifeOptions): Promise<void> {
    const { spec, plan } = o.pipeline;
    const notices = { warn: () => undefined, info: () => undefined };
    const log = openKafkaLog({ brokers: net.ids.map(id => `sim:${id}`), settings: null, notices, dial: net.dialer(this.actor) });
    const { signal } = this.#stop;
    let runtime: PipelineRuntime | null = null;
    try {
      await log.open(30_000, signal);
      const store = openStore(this.actor);
      runtime = new PipelineRuntime({
        spec: { ...spec, settings: { ...spec.settings, checkpoint: o.checkpoint } }, plan, log, source: s => log.source(s), store, formats, engine: engineParts, notices, taps: new Map(), workers: null,
        clock: { now: () => Math.floor(BASE + this.#world.now + this.actor.jump), elapsed: () => this.#world.now }, committed: () => Promise.resolve(),
        options: {
          following: o.following, from: null, batchRows: o.batchRows, jit: o.jit, decoder: o.decoder, onError: null, resume: null, backfill: false, packFrom: o.packFrom, epochBytes: o.epochBytes, memory: 1e9, drain: 20_000,
          takeOver: false, ownerId: this.actor.name,
        },
      });
      await runtime.open();
      await runtime.run(signal);
    } finally {
      await runtime?.close();
      await log.close();
    }
  }
}
