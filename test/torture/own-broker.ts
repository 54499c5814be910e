import { createServer, type AddressInfo } from 'node:net';
import { canOwnBroker, type OwnBroker, startBroker } from '../kafka/broker.ts';
import { Proxy } from '../kafka/proxy.ts';

/** A broker that may be broken: clients of `address` go through the proxy, those of `direct` do not. */
export interface Breakable {
  readonly address: string;
  readonly direct: string;
  readonly proxy: Proxy;
  readonly broker: OwnBroker;
}

/** Null where no broker can be started here. `transactions` is the level of the feature transaction.version; `itself`: what the broker sends itself goes through the proxy, too. */
export async function onOwnBroker<T>(work: (b: Breakable) => Promise<T>, transactions = 2, itself = false): Promise<T | null> {
  if (!canOwnBroker()) return null;
  const proxy = await Proxy.start();
  const direct = `127.0.0.1:${await freePort()}`;
  const broker = await startBroker({
    format: ['--feature', `transaction.version=${transactions}`],
    properties: {
      'listeners': `PLAINTEXT://127.0.0.1:{port},DIRECT://${direct},CONTROLLER://127.0.0.1:{controller}`,
      'advertised.listeners': `PLAINTEXT://${proxy.address},DIRECT://${direct}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,DIRECT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'inter.broker.listener.name': itself ? 'PLAINTEXT' : 'DIRECT',
    },
  });
  proxy.forward(broker.address);
  try {
    return await work({ address: proxy.address, direct, proxy, broker });
  } finally {
    await proxy.stop();
    await broker.stop();
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
