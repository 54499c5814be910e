import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { JobReport } from '../observe/job.ts';
import { HostGuard, SECURITY_HEADERS } from './guard.ts';
import { listen, shut } from './listen.ts';
import { probe, PROBES } from './probes.ts';
import { Refusal } from './refusal.ts';

const LOOPBACK = '127.0.0.1';
const DEFAULT_PORT = 9464;

/** null: this machine only, and the default port. */
export interface MetricsAddress {
  readonly host: string | null;
  readonly port: number | null;
}

/** Answers `/metrics`, `/healthz` and `/readyz`, and nothing else: names and counts, no record. */
export class MetricsServer {
  readonly url: string;
  readonly #server: Server;
  readonly #reports: () => readonly JobReport[];
  readonly #guard: HostGuard | null;

  /** Throws user.usage.bad_value where the port is taken. */
  static async start(address: MetricsAddress, reports: () => readonly JobReport[]): Promise<MetricsServer> {
    const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000, keepAliveTimeout: 5_000 });
    server.maxConnections = 64;
    const host = address.host ?? LOOPBACK;
    const port = await listen(server, { what: 'metrics', host, ports: [address.port ?? DEFAULT_PORT], hint: 'another port: --metrics N' });
    return new MetricsServer(server, host, port, address.host === null, reports);
  }

  private constructor(server: Server, host: string, port: number, local: boolean, reports: () => readonly JobReport[]) {
    this.url = `http://${isIP(host) === 6 ? `[${host}]` : host}:${port}/metrics`;
    this.#server = server;
    this.#reports = reports;
    // where somebody chose an address, they know by which names it is reached
    this.#guard = local ? new HostGuard({ host, port }) : null;
    server.on('request', (req: IncomingMessage, res: ServerResponse) => this.#answer(req, res));
  }

  close(): Promise<void> { return shut(this.#server); }

  #answer(req: IncomingMessage, res: ServerResponse): void {
    res.on('error', () => undefined);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) res.setHeader(name, value);
    try {
      this.#guard?.host(req);
      if (req.method !== 'GET' && req.method !== 'HEAD') {
        res.setHeader('Allow', 'GET, HEAD');
        throw new Refusal(405, 'user.usage.not_allowed', 'metrics are read with GET');
      }
      const asked = (req.url as string).split('?', 1)[0];
      const path = PROBES.find(p => p === asked);
      if (path === undefined) throw new Refusal(404, 'user.usage.bad_value', 'there are /metrics, /healthz and /readyz');
      const { status, type, text } = probe(path, this.#reports, true);
      res.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' });
      res.end(text);
    } catch (error) {
      // whatever is wrong with a scrape, the run goes on
      const { status, message } = error instanceof Refusal ? error : { status: 500, message: 'this should not happen: a bug of pipe' };
      res.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
      res.end(`${message}\n`);
    }
  }
}
