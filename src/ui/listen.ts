import type { Server } from 'node:http';
import { PipeError } from '../errors.ts';

/** Where a server may listen. */
export interface Address {
  /** Who listens, for messages. */
  readonly what: string;
  readonly host: string;
  /** Tried in order, as long as they are taken; 0 is any free one. */
  readonly ports: readonly number[];
  /** How to say another port. */
  readonly hint: string;
}

/** Stops to listen; what is being answered is cut off. */
export async function shut(server: Server): Promise<void> {
  const closed = new Promise<void>(done => server.close(() => done()));
  server.closeAllConnections();
  await closed;
}

/** The port that it listens on. Throws user.usage.bad_value where there is none. */
export async function listen(server: Server, { what, host, ports, hint }: Address): Promise<number> {
  for (const [i, port] of ports.entries()) {
    const error = await new Promise<NodeJS.ErrnoException | null>(done => {
      server.once('error', done);
      server.listen(port, host, () => { server.off('error', done); done(null); });
    });
    if (error === null) return (server.address() as { port: number }).port;
    if (error.code === 'EADDRINUSE' && i + 1 < ports.length) continue;
    const why = error.code === 'EADDRINUSE' ? `port ${port} is taken` : error.code === 'EACCES' ? `port ${port} may not be listened on` : `${host} port ${port} cannot be listened on: ${error.message}`;
    throw new PipeError('user.usage.bad_value', `${what}: ${why}`, { hint, cause: error });
  }
  throw new PipeError('user.usage.bad_value', `${what} found no free port`);
}
