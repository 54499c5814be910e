import type { IncomingMessage, ServerResponse } from 'node:http';
import { badValue, Refusal } from './refusal.ts';
import type { Site } from './site.ts';
import { EventStream } from './sse.ts';

/** Of a request's body: a record of 1 MB may double in JSON. */
const MOST_BYTES = 4 << 20;

export type Method = 'GET' | 'POST';

/** One path of the API. */
export interface Route {
  readonly method: Method;
  /** `/api/v1/jobs/:job`: a part that begins with : is any text. */
  readonly path: string;
  /** It changes something: only with --allow-actions. */
  readonly action?: true;
  /** Schema of the answer, or of the data of its events by their name (schemas.ts); absent: text. */
  readonly answers?: string | Readonly<Record<string, string>>;
  /** Needs no token: numbers only. */
  readonly open?: true;
  /** The answer, sent as JSON; undefined: it has answered by itself. Throws PipeError. */
  handle(c: Call): unknown;
}

/** One request. */
export class Call {
  readonly site: Site;
  readonly res: ServerResponse;
  /** Aborted when the client has gone, or the server ends. */
  readonly signal: AbortSignal;
  readonly #req: IncomingMessage;
  readonly #params: ReadonlyMap<string, string>;
  readonly #query: URLSearchParams;

  constructor(site: Site, req: IncomingMessage, res: ServerResponse, signal: AbortSignal, params: ReadonlyMap<string, string>, query: URLSearchParams) {
    this.site = site;
    this.#req = req;
    this.res = res;
    this.signal = signal;
    this.#params = params;
    this.#query = query;
  }

  /** A part of the path. */
  param(name: string): string { return this.#params.get(name) as string; }

  /** A value of the query; null where it is missing or empty. */
  text(name: string): string | null { return this.#query.get(name) || null; }

  /** A whole number of the query. Throws 400. */
  count(name: string, least: number, most: number): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const n = Number(text);
    if (!/^\d{1,16}$/.test(text) || n < least || n > most) throw badValue(`${name} is a whole number from ${least} to ${most}`);
    return n;
  }

  /** One of a few words. Throws 400. */
  word<T extends string>(name: string, words: readonly T[]): T | null {
    const text = this.text(name);
    const found = words.find(w => w === text) ?? null;
    if (text !== null && found === null) throw badValue(`${name} is one of ${words.join(', ')}`);
    return found;
  }

  /** The body: a JSON object. Throws 400, 413 or 415. */
  async body(): Promise<Readonly<Record<string, unknown>>> {
    if (!/^application\/json\s*(;|$)/i.test(this.#req.headers['content-type'] ?? '')) throw new Refusal(415, 'user.usage.bad_value', 'the body is JSON: Content-Type: application/json');
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of this.#req as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) throw new Refusal(413, 'user.usage.bad_value', `the body is longer than ${MOST_BYTES >> 20} MB`);
      chunks.push(chunk);
    }
    let value: unknown;
    try {
      value = JSON.parse(Buffer.concat(chunks).toString());
    } catch {
      throw badValue('the body is no JSON');
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badValue('the body is a JSON object');
    return value as Record<string, unknown>;
  }

  events(): EventStream { return new EventStream(this.res, this.signal); }
}
