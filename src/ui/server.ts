import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ProblemAnswer } from './answers.ts';
import { Call, type Route } from './call.ts';
import { Guard, SECURITY_HEADERS } from './guard.ts';
import { listen, shut } from './listen.ts';
import { PROBES } from './probes.ts';
import { notFound, problemOf, Refusal } from './refusal.ts';
import { NoMethod, Router } from './router.ts';
import type { Site } from './site.ts';
import { Statics } from './statics.ts';

const DEFAULT_PORT = 7070;
/** Ports that are tried where none is given and the first is taken. */
const TRIED = 20;
/** Bytes of a request's head: a filter stands in it. */
const MOST_HEADERS = 64 << 10;
/** Requests that are answered at once; a browser has six of them. */
const MOST_CONNECTIONS = 128;

export interface ServerOptions {
  readonly host: string;
  /** null: the default, or the next free one. */
  readonly port: number | null;
  readonly token: string;
  /** Folder of the built page. */
  readonly page: string;
  readonly routes: readonly Route[];
}

/** A dashboard that listens. */
export class DashboardServer {
  readonly port: number;
  readonly #server: Server;
  readonly #site: Site;
  readonly #router: Router;
  readonly #statics: Statics;
  readonly #guard: Guard;
  readonly #stop: AbortController;

  /** Throws user.usage.bad_value where the port is taken. */
  static async start(site: Site, o: ServerOptions): Promise<DashboardServer> {
    const server = createServer({ maxHeaderSize: MOST_HEADERS, requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 5_000 });
    server.maxConnections = MOST_CONNECTIONS;
    const ports = o.port === null ? [...Array.from({ length: TRIED }, (_, i) => DEFAULT_PORT + i), 0] : [o.port];
    const port = await listen(server, { what: 'the dashboard', host: o.host, ports, hint: 'another port: --port N (pipe ui), --ui N (pipe run)' });
    return new DashboardServer(site, o, server, port);
  }

  private constructor(site: Site, o: ServerOptions, server: Server, port: number) {
    this.port = port;
    this.#server = server;
    this.#site = site;
    this.#router = new Router(o.routes);
    this.#statics = new Statics(o.page);
    this.#guard = new Guard({ host: o.host, port, token: o.token });
    this.#stop = new AbortController();
    server.on('request', (req: IncomingMessage, res: ServerResponse) => { void this.#answer(req, res); });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (socket.writable) socket.end(`HTTP/1.1 ${error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'}\r\nConnection: close\r\n\r\n`);
      else socket.destroy();
    });
  }

  /** Ends all streams; what is being answered is cut off. */
  async close(): Promise<void> {
    this.#stop.abort();
    await shut(this.#server);
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    res.on('error', () => undefined);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) res.setHeader(name, value);
    res.setHeader('Cache-Control', 'no-store');
    try {
      const answer = await this.#handle(req, res);
      if (answer !== undefined) sendJson(res, 200, answer);
    } catch (error) {
      this.#refuse(req, res, error);
    }
  }

  async #handle(req: IncomingMessage, res: ServerResponse): Promise<unknown> {
    this.#guard.host(req);
    const method = req.method as string;
    const [path = '', query = ''] = cut(req.url as string);
    if (!path.startsWith('/')) throw new Refusal(400, 'user.usage.bad_value', 'a request names a path');
    if (!isApi(path)) {
      if (method !== 'GET' && method !== 'HEAD') throw new NoMethod(['GET']);
      if (this.#statics.serve(path, String(req.headers['accept-encoding'] ?? ''), res)) return undefined;
      throw notFound(path === '/' ? 'the page of the dashboard has not been built' : 'there is nothing at this path', path === '/' ? 'npm run prepare builds it; /api/v1/ answers without it' : undefined);
    }
    const { route, params } = this.#router.find(method, path);
    if (route.open !== true) {
      this.#guard.origin(req, route.method !== 'GET');
      this.#guard.token(req);
    }
    if (route.action === true && !this.#site.actions) throw new Refusal(403, 'user.usage.read_only', 'this dashboard only shows', 'start it with --allow-actions to let it act');
    return route.handle(new Call(this.#site, req, res, this.#until(res), params, new URLSearchParams(query)));
  }

  /** Aborted when the client goes or the server ends. */
  #until(res: ServerResponse): AbortSignal {
    const gone = new AbortController();
    const abort = (): void => {
      this.#stop.signal.removeEventListener('abort', abort);
      gone.abort();
    };
    this.#stop.signal.addEventListener('abort', abort);
    res.on('close', abort);
    return gone.signal;
  }

  #refuse(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    const problem = problemOf(error);
    // an answer that nobody waits for any more
    if (res.destroyed || res.headersSent) return void res.destroy();
    if (problem === null) this.#site.failed(error);
    const bug: ProblemAnswer = { code: 'bug.unexpected', message: 'this should not happen: a bug of pipe', hint: 'the terminal of the dashboard says more', at: null };
    if (error instanceof NoMethod) res.setHeader('Allow', error.allow);
    if (problem?.status === 401) res.setHeader('WWW-Authenticate', 'Bearer');
    // what was not read of the body is not read any more
    if (!req.complete) res.setHeader('Connection', 'close');
    sendJson(res, problem?.status ?? 500, problem?.answer ?? bug);
  }
}

const isApi = (path: string): boolean => path.startsWith('/api/') || PROBES.some(p => p === path);

function cut(url: string): [string, string] {
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
}

function sendJson(res: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  res.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': body.length });
  res.end(body);
}
