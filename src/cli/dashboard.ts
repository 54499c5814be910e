import { isIP } from 'node:net';
import { fileURLToPath } from 'node:url';
import { PipeError } from '../errors.ts';
import { newToken } from '../ui/guard.ts';
import { routesOf } from '../ui/routes.ts';
import { DashboardServer } from '../ui/server.ts';
import type { Site } from '../ui/site.ts';
import type { Io, Parsed } from './command.ts';

const LOOPBACK = '127.0.0.1';
const TOKEN = /^[\w.~-]{16,256}$/;

/** Where the page and the process that reads state files lie, once they are built. */
const page = new URL('../dashboard/', import.meta.url);
export const stateProcess = new URL('../cli/state-process.js', import.meta.url);

/** Whom a dashboard answers, beside this machine. */
export interface Listening {
  readonly host: string;
  readonly port: number | null;
  /** null: a new one. */
  readonly token: string | null;
}

/** `--host` and the token that it needs: what leaves this machine has a secret that somebody chose. Throws user.usage.*. */
export function hostFlags(p: Parsed, io: Io): Pick<Listening, 'host' | 'token'> {
  const host = p.text('host') ?? LOOPBACK;
  const token = p.text('token') ?? (io.env['PIPE_UI_TOKEN'] || null);
  if (token !== null && !TOKEN.test(token)) throw new PipeError('user.usage.bad_value', 'the token is 16 to 256 letters, digits and - . _ ~', { hint: 'for one: openssl rand -hex 24' });
  if (p.has('host') && token === null) throw new PipeError('user.usage.missing_argument', '--host needs a token: whoever reaches it sees all records', { hint: 'put one into PIPE_UI_TOKEN, or give --token; behind an SSH tunnel no --host is needed' });
  return { host, token };
}

export interface Dashboard {
  /** With the token, unless somebody gave it. */
  readonly url: string;
  close(): Promise<void>;
}

/** Throws user.usage.bad_value where the port is taken. */
export async function startDashboard(site: Site, o: Listening): Promise<Dashboard> {
  const token = o.token ?? newToken();
  const server = await DashboardServer.start(site, { host: o.host, port: o.port, token, page: fileURLToPath(page), routes: routesOf(site) });
  const host = isIP(o.host) === 6 ? `[${o.host}]` : o.host;
  return { url: `http://${host}:${server.port}/${o.token === null ? `#token=${token}` : ''}`, close: () => server.close() };
}
