import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TopicRecord } from '../../src/ui/answers.ts';
import { NOW, type Scene } from './scenes.ts';

const PAGE = resolve(import.meta.dirname, '../../dist/dashboard');
const TYPES: Readonly<Record<string, string>> = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', txt: 'text/plain; charset=utf-8' };

/** The one of the agreement: what is in force for the page in every test. */
export const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
export const TOKEN = 'token-of-a-test';

/** The built page over a scene instead of real pipelines: its answers have the shapes of `/api/v1`. */
export class Stage {
  scene: Scene;
  /** Moves on with each push of news. */
  at = NOW;
  /** What was asked to be changed, as `METHOD path body`. */
  readonly changes: string[] = [];
  /** Rewrites index.html before it is sent. */
  html: (text: string) => string = t => t;
  readonly #server: Server;
  readonly #followers = new Set<ServerResponse>();
  readonly #tails = new Set<ServerResponse>();

  private constructor(scene: Scene) {
    this.scene = scene;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async open(scene: Scene): Promise<Stage> {
    const stage = new Stage(scene);
    await stage.listen(0);
    return stage;
  }

  listen(port: number): Promise<void> {
    return new Promise(done => this.#server.listen(port, '127.0.0.1', () => done()));
  }

  get port(): number { return (this.#server.address() as AddressInfo).port; }

  link(path: string): string { return `http://127.0.0.1:${this.port}/#token=${TOKEN}&to=${encodeURIComponent(path)}`; }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise(done => this.#server.close(() => done()));
  }

  /** A second passes: news to all who follow. */
  push(): void {
    this.at += 1000;
    for (const f of this.#followers) this.#news(f);
  }

  /** Records to all who follow a topic. */
  tell(records: readonly TopicRecord[]): void {
    for (const t of this.#tails) t.write(`event: records\ndata: ${JSON.stringify(records)}\n\n`);
  }

  get tails(): number { return this.#tails.size; }

  #news(response: ServerResponse): void {
    response.write(`event: jobs\ndata: ${JSON.stringify({ at: this.at, jobs: this.scene.jobs(this.at) })}\n\n`);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://x');
    response.setHeader('content-security-policy', CSP);
    response.setHeader('x-content-type-options', 'nosniff');
    if (!pathname.startsWith('/api/')) { this.#file(pathname, response); return; }
    if (request.headers.authorization !== `Bearer ${TOKEN}`) { json(response, 401, { code: 'user.usage.token', message: 'the token is missing or wrong', hint: null }); return; }
    if (request.method === 'POST') {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      this.changes.push(`${decodeURIComponent(pathname)} ${body}`);
    }
    const path = pathname.slice('/api/v1/'.length).split('/').map(decodeURIComponent);
    const answer = this.#route(path, query, response);
    if (answer !== 'open') json(response, answer === null ? 404 : 200, answer ?? { code: 'user.usage.not_found', message: 'there is no such thing', hint: null });
  }

  #route([what, id = '', more]: readonly string[], query: URLSearchParams, response: ServerResponse): unknown {
    const { scene } = this;
    switch (what) {
      case 'info': return { v: 1, ...scene.info };
      case 'events': stream(response, this.#followers); this.#news(response); return 'open';
      case 'jobs': {
        if (more !== undefined) return { v: 1 };
        const job = scene.jobs(this.at).find(j => `${j.pipeline}@${j.log.id}` === id);
        return job === undefined ? null : { v: 1, job, plan: scene.plans[job.pipeline] ?? null };
      }
      case 'topics':
        if (more === undefined) return { v: 1, topics: scene.topics };
        if (more === 'tail') { stream(response, this.#tails); response.write('event: open\ndata: {}\n\n'); return 'open'; }
        return this.#records(id, query);
      case 'state':
        if (more === undefined) return { v: 1, states: scene.states };
        return { v: 1, columns: ['account', 'window_start', 'total'], rows: [['1234', '2026-05-12 12:00:00', '7500.00'], ['9999', '2026-05-12 12:00:00', '120.00'], [null, '2026-05-12 12:00:00', '0.50']], truncated: false, ms: 3 };
      case 'dlq':
        if (more === 'letters') return { v: 1, letters: scene.letters(query.get('code') ?? ''), next: null };
        return more === 'replay' ? { v: 1, records: 11, topics: {}, refused: {}, late: 0 } : { v: 1, codes: scene.codes, replayed: 4, topics: [], partial: false };
      case 'config': return scene.config;
      default: return null;
    }
  }

  #records(topic: string, query: URLSearchParams): unknown {
    const found = this.scene.topics.find(t => t.name === topic);
    if (found === undefined) return null;
    if (query.get('filter')?.includes('wrong') === true) return { v: 1, records: [], next: {}, order: 'oldest', scanned: 15_000, done: true, filter_stopped: false, failed: 0 };
    const order = query.get('order') ?? (query.get('from') === 'latest' ? 'newest' : 'oldest');
    const only = query.get('partition');
    const limit = Number(query.get('limit') ?? 100);
    const all = found.partitions.flatMap(p => (only !== null && only !== String(p.partition) ? [] : [p]));
    const next: Record<string, number> = JSON.parse(query.get('next') ?? 'null') ?? Object.fromEntries(all.map(p => [p.partition, order === 'newest' ? p.end : Number(query.get('offset') ?? p.begin)]));
    const records: TopicRecord[] = [];
    while (records.length < limit) {
      const open = all.filter(p => (order === 'newest' ? (next[p.partition] as number) > p.begin : (next[p.partition] as number) < p.end));
      if (open.length === 0) break;
      for (const p of open) {
        const at = order === 'newest' ? (next[p.partition] as number) - 1 : next[p.partition] as number;
        next[p.partition] = order === 'newest' ? at : at + 1;
        records.push(this.scene.record(topic, p.partition, at));
      }
    }
    const done = all.every(p => (order === 'newest' ? next[p.partition] === p.begin : next[p.partition] === p.end));
    return { v: 1, records, next, order, scanned: records.length, done, filter_stopped: false, failed: 0 };
  }

  #file(path: string, response: ServerResponse): void {
    const name = path === '/' ? 'index.html' : path.slice(1);
    if (!readdirSync(PAGE).includes(name)) { response.writeHead(404).end(); return; }
    const text = readFileSync(resolve(PAGE, name), 'utf8');
    response.writeHead(200, { 'content-type': TYPES[name.split('.').at(-1) as string] ?? 'text/plain' }).end(name === 'index.html' ? this.html(text) : text);
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function stream(response: ServerResponse, into: Set<ServerResponse>): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  into.add(response);
  response.on('close', () => into.delete(response));
}
