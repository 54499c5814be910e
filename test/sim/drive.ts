import { Cluster } from '../../src/connectors/kafka/cluster.ts';
import { clientSettings } from '../../src/connectors/kafka/settings.ts';
import { Broker } from './broker.ts';
import { Network } from './network.ts';
import { Actor, virtually, World } from './world.ts';

export interface Place {
  readonly world: World;
  readonly broker: Broker;
  readonly net: Network;
  /** A client of the brokers that has found them. */
  readonly cluster: Cluster;
}

/** Runs a client of simulated brokers until it is done: in virtual time, without faults unless it makes some. */
export const withBrokers = <T>(nodes: number, work: (p: Place) => Promise<T>): Promise<T> => virtually(async () => {
  const world = new World(1);
  const broker = new Broker(world, { visible: () => undefined, committed: () => undefined });
  const net = new Network(world, broker, nodes);
  const actor = new Actor('client');
  let end: { readonly value: T } | { readonly error: unknown } | null = null;
  world.after(0, actor, () => {
    const cluster = new Cluster(net.ids.map(id => `sim:${id}`), clientSettings(null), net.dialer(actor));
    cluster.bootstrap().then(() => work({ world, broker, net, cluster })).then(value => { end = { value }; }, (error: unknown) => { end = { error }; }).finally(() => cluster.close());
  });
  while (end === null) if (!await world.step()) throw new Error('the client waits for nothing');
  const { value, error } = end as { readonly value?: T; readonly error?: unknown };
  if (error !== undefined) throw error;
  return value as T;
});
