import type { ValidateFunction } from 'ajv';
import { request, type IncomingHttpHeaders } from 'node:http';
import { createRequire } from 'node:module';
import type { Project, Running } from '../e2e/project.ts';
import { GENERATED } from '../no-codegen.ts';

const { Ajv } = createRequire(import.meta.url)('ajv') as typeof import('ajv');

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: any;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
}

interface PathAnswer {
  readonly method: string;
  readonly path: string;
  readonly action: boolean;
  readonly answers: string | Readonly<Record<string, string>> | null;
}

/** A dashboard of the built command, asked over HTTP with every header as one likes. */
export class Dash {
  readonly running: Running;
  readonly port: number;
  readonly token: string;
  paths: readonly PathAnswer[] = [];
  /** null: ajv makes code, which this run may not. */
  readonly #schemas = new Map<string, ValidateFunction | null>();

  /** `pipe ui`, or with `args` another command that has one. */
  static async start(p: Project, more: readonly string[] = [], o: { readonly args?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {}): Promise<Dash> {
    const running = p.start([...(o.args ?? ['ui', '--port', '0', '--json']), ...more], o.env === undefined ? {} : { env: o.env });
    const address = /"http:\/\/127\.0\.0\.1:(\d+)\/(?:#token=([\w-]+))?"/;
    await running.until(r => address.test(r.out) || address.test(r.err));
    const [, port, token = o.env?.['PIPE_UI_TOKEN']] = address.exec(running.out + running.err) as RegExpExecArray;
    const dash = new Dash(running, Number(port), token as string);
    await dash.#load();
    return dash;
  }

  private constructor(running: Running, port: number, token: string) {
    this.running = running;
    this.port = port;
    this.token = token;
  }

  get origin(): string { return `http://127.0.0.1:${this.port}`; }

  /** As a script of the page would; a header that is undefined is left out. */
  ask(path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Reply> {
    const all: Record<string, string | undefined> = { Authorization: `Bearer ${this.token}`, ...(method === 'GET' ? {} : { Origin: this.origin }), ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers };
    return raw(this.port, method, path, Object.fromEntries(Object.entries(all).filter(([, v]) => v !== undefined)) as Record<string, string>, body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body));
  }

  /** An answer that fits its schema, of status 200. */
  async get(path: string, query: Readonly<Record<string, string | number>> = {}): Promise<any> { return this.#checked('GET', path, await this.ask(withQuery(path, query))); }
  async post(path: string, body: unknown = {}): Promise<any> { return this.#checked('POST', path, await this.ask(path, { method: 'POST', body })); }

  /** A refusal that fits its schema. */
  async refused(path: string, ask: Ask & { readonly query?: Readonly<Record<string, string | number>> } = {}): Promise<{ readonly status: number; readonly code: string; readonly message: string; readonly hint: string | null; readonly at: readonly [number, number] | null }> {
    const { status, json } = await this.ask(withQuery(path, ask.query ?? {}), ask);
    if (status < 400) throw new Error(`${path} was answered: ${status}`);
    this.fits('problem', json);
    return { status, ...json };
  }

  fits(schema: string, value: unknown): void {
    const validate = this.#schemas.get(schema);
    if (validate === undefined) throw new Error(`no schema ${schema}`);
    if (validate !== null && !validate(value)) throw new Error(`${schema}: ${JSON.stringify(validate.errors)} in ${JSON.stringify(value).slice(0, 500)}`);
  }

  /** Server-sent events until `enough`, each fitting its schema. */
  events(path: string, enough: (events: readonly Event[]) => boolean, o: { readonly query?: Readonly<Record<string, string>>; readonly opened?: () => void } = {}): Promise<readonly Event[]> {
    return new Promise((done, failed) => {
      const req = request({ host: '127.0.0.1', port: this.port, path: withQuery(path, o.query ?? {}), headers: { Authorization: `Bearer ${this.token}` } }, res => {
        if (res.statusCode !== 200) return failed(new Error(`${path}: ${res.statusCode}`));
        let text = '';
        const events: Event[] = [];
        o.opened?.();
        res.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
            const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
            text = text.slice(end + 2);
            if (name === undefined) continue;
            events.push({ name, data: JSON.parse(data as string) });
            try {
              this.fits((this.#route('GET', path).answers as Readonly<Record<string, string>>)[name] as string, events.at(-1)?.data);
            } catch (error) {
              failed(error as Error);
            }
          }
          if (enough(events)) { req.destroy(); done(events); }
        }).on('end', () => done(events)).on('error', () => undefined);
      });
      req.on('error', error => { if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') failed(error); }).end();
    });
  }

  async stop(): Promise<number | null> {
    this.running.kill('SIGTERM');
    return (await this.running.finished).code;
  }

  async #load(): Promise<void> {
    const { status, json } = await this.ask('/api/v1/schemas');
    if (status !== 200) throw new Error(`schemas: ${status}`);
    // strict here: a field that the schema does not know is a mistake of ours
    const definitions = strict(json.definitions) as Record<string, object>;
    for (const name of Object.keys(definitions)) this.#schemas.set(name, GENERATED ? new Ajv({ strict: false, allErrors: false }).compile({ $ref: `#/definitions/${name}`, definitions }) : null);
    this.paths = json.paths;
    this.fits('schemas', json);
  }

  #checked(method: string, path: string, { status, text, json }: Reply): any {
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`);
    this.fits(this.#route(method, path).answers as string, json);
    return json;
  }

  #route(method: string, path: string): PathAnswer {
    const parts = path.split('/');
    const found = this.paths.find(p => p.method === method && p.path.split('/').length === parts.length && p.path.split('/').every((x, i) => x.startsWith(':') || x === parts[i]));
    if (found === undefined) throw new Error(`no path ${method} ${path}`);
    return found;
  }
}

export interface Event {
  readonly name: string;
  readonly data: any;
}

function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const all = Object.fromEntries(Object.entries(schema).map(([k, v]) => [k, strict(v)]));
  return 'properties' in all && all['type'] === 'object' && !('additionalProperties' in all) ? { ...all, additionalProperties: false } : all;
}

const withQuery = (path: string, query: Readonly<Record<string, string | number>>): string => (Object.keys(query).length === 0 ? path : `${path}?${new URLSearchParams(Object.fromEntries(Object.entries(query).map(([k, v]) => [k, String(v)])))}`);

/** One request with exactly these headers; `path` goes out as it is. */
export function raw(port: number, method: string, path: string, headers: Readonly<Record<string, string>>, body: string | null = null): Promise<Reply> {
  return new Promise((done, failed) => {
    const req = request({ host: '127.0.0.1', port, method, path, headers, setHost: headers['Host'] === undefined, agent: false }, res => {
      let text = '';
      res.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; }).on('end', () => {
        const json = /^application\/json/.test(res.headers['content-type'] ?? '') && text !== '' ? JSON.parse(text) as unknown : null;
        done({ status: res.statusCode as number, headers: res.headers, text, json });
      });
    });
    req.on('error', failed).end(body ?? undefined);
  });
}
