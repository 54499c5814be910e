import { createRequire } from 'node:module';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { PipeError } from '../../errors.ts';
import { Frames } from './frames.ts';
import { ConnectionLost } from './kafka-error.ts';
import { ResponseMemory, type Lease } from './response-memory.ts';
import type { ClientSettings, Sasl } from './settings.ts';
import { WireReader, WireWriter } from './wire.ts';

/*
 * kafkajs as a transport: request queue, time-outs and SASL of ONE connection; what comes is cut into responses here, which kafkajs would
 * copy. The only file that reaches into it: the version is pinned, and checked with the shape of what is used. Connections are never
 * opened again after they broke: a new object is made instead, and each is opened once.
 */
const VERSION = '2.2.4';
const CONNECT_MS = 5000;
const REQUEST_MS = 30_000;

export interface Request<T> {
  readonly name: string;
  readonly key: number;
  readonly version: number;
  /** Whole, or, where copies would be dear, in parts. */
  readonly body: Buffer | readonly Buffer[];
  /** What it makes must not keep parts of the response, unless it says so to the lease. */
  read(r: WireReader, lease: Lease): T;
}

/** `response` lies in what `memory` gave, and its lease is over when it was read and nothing of it is kept. */
export function readResponse<T>(request: Pick<Request<T>, 'read'>, response: Buffer, memory: ResponseMemory): T {
  const lease = memory.lease(response);
  const value = request.read(new WireReader(response), lease);
  lease.done();
  return value;
}

/** What a broker says of itself. */
export interface Abilities {
  /** [lowest, highest] version by API key. */
  readonly versions: ReadonlyMap<number, readonly [number, number]>;
  /** Level by name, as the whole cluster has agreed on it (KIP-584). */
  readonly features: ReadonlyMap<string, number>;
}

/** Whether a broker understands a request. */
export function speaks({ versions }: Pick<Abilities, 'versions'>, { key, version }: Pick<Request<unknown>, 'key' | 'version'>): boolean {
  const [low, high] = versions.get(key) ?? [0, -1];
  return low <= version && version <= high;
}

/** Where an address could not be reached, and why, in words. */
export interface Attempt {
  readonly address: string;
  readonly reason: string;
}

interface RawConnection {
  readonly requestQueue: {
    rejectAll(e: Error): void;
    push(o: { readonly entry: Entry; readonly expectResponse: true; readonly requestTimeout: null; sendRequest(): void }): void;
    readonly pending: readonly unknown[];
    readonly throttledUntil: number;
    scheduleCheckPendingRequests(): void;
    fulfillRequest(o: { readonly size: number; readonly correlationId: number; readonly payload: Buffer }): void;
  };
  readonly clientId: string;
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
  authenticate(): Promise<void>;
  isConnected(): boolean;
  isAuthenticated(): boolean;
  failIfNotConnected(): void;
  /** For each piece of what was read. */
  processData(chunk: Buffer): void;
  nextCorrelationId(): number;
  setVersions(versions: Readonly<Record<number, { minVersion: number; maxVersion: number }>>): void;
  setSupportAuthenticationProtocol(yes: boolean): void;
  send(o: {
    readonly request: { readonly apiKey: number; readonly apiVersion: number; readonly apiName: string; encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }> };
    readonly response: { decode(raw: Buffer): Promise<{ readonly value: unknown }>; parse(x: { readonly value: unknown }): Promise<unknown> };
    readonly logResponseError: boolean;
  }): Promise<unknown>;
}

/** A request that waits for its answer. */
interface Entry {
  readonly apiKey: number;
  readonly apiName: string;
  readonly apiVersion: number;
  readonly correlationId: number;
  resolve(answer: { readonly payload: Buffer }): void;
  reject(error: Error): void;
}

type RawConnectionClass = new (o: Readonly<Record<string, unknown>>) => RawConnection;

let loaded: RawConnectionClass | null = null;

function load(): RawConnectionClass {
  if (loaded !== null) return loaded;
  const require = createRequire(import.meta.url);
  const { version } = require('kafkajs/package.json') as { readonly version: string };
  const raw = version === VERSION ? require('kafkajs/src/network/connection') as RawConnectionClass : null;
  const methods = ['connect', 'disconnect', 'authenticate', 'isConnected', 'isAuthenticated', 'failIfNotConnected', 'processData', 'nextCorrelationId', 'setVersions', 'setSupportAuthenticationProtocol', 'send'] as const;
  if (raw === null || !methods.every(m => typeof (raw.prototype as Partial<RawConnection>)[m] === 'function')) {
    throw new PipeError('system.source.client_version', `kafkajs ${version} is installed; pipe works with exactly ${VERSION}`, { hint: `npm install kafkajs@${VERSION}` });
  }
  loaded = raw;
  return raw;
}

const nothing = (): void => undefined;
// its messages are about single attempts; ours come from where an outage is known
const silent = { namespace: () => silent, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** What the data path needs of a connection to one broker. */
export interface Link {
  readonly address: string;
  readonly connected: boolean;
  readonly able: Abilities;
  /** Throws ConnectionLost; system.source.auth where a session cannot be renewed. A request that got no answer ends the connection. */
  send<T>(request: Request<T>): Promise<T>;
  /** At once; what is on its way fails with ConnectionLost. */
  close(): void;
}

/** Makes a connection, authenticated where settings say so. Throws Unreachable, ConnectionLost, or system.source.auth for what no retry cures. */
export type Dial = (host: string, port: number, settings: ClientSettings) => Promise<Link>;

/** One connection to one broker; several requests may be on their way. */
class Connection implements Link {
  readonly address: string;
  readonly #raw: RawConnection;
  readonly #socket: () => Socket | null;
  readonly #memory: ResponseMemory;
  able: Abilities = { versions: new Map(), features: new Map() };

  constructor(address: string, raw: RawConnection, socket: () => Socket | null, memory: ResponseMemory) {
    this.address = address;
    this.#raw = raw;
    this.#socket = socket;
    this.#memory = memory;
  }

  get connected(): boolean { return this.#raw.isConnected(); }

  async send<T>(request: Request<T>): Promise<T> {
    const { name, key, version, body } = request;
    try {
      if (!Buffer.isBuffer(body)) return readResponse(request, await this.#sendParts(request, body), this.#memory);
      return await this.#raw.send({
        request: { apiKey: key, apiVersion: version, apiName: name, encode: async () => ({ buf: body, buffer: body }) },
        response: { decode: async raw => ({ value: readResponse(request, raw, this.#memory) }), parse: async x => x.value },
        logResponseError: false,
      }) as T;
    } catch (error) {
      const known = translate(error, this.address);
      if (known instanceof ConnectionLost) this.close();
      throw known;
    }
  }

  /** As kafkajs sends a request, which would copy it three times. */
  async #sendParts({ name, key, version }: Request<unknown>, parts: readonly Buffer[]): Promise<Buffer> {
    const raw = this.#raw;
    if (!raw.isAuthenticated()) await raw.authenticate();
    raw.failIfNotConnected();
    const correlationId = raw.nextCorrelationId();
    const head = new WireWriter().int16(key).int16(version).int32(correlationId).string(raw.clientId).finish();
    const size = new WireWriter().int32(parts.reduce((n, p) => n + p.length, head.length)).finish();
    return new Promise((resolve, reject) => raw.requestQueue.push({
      entry: { apiKey: key, apiName: name, apiVersion: version, correlationId, resolve: answer => resolve(answer.payload), reject },
      expectResponse: true, requestTimeout: null,
      sendRequest: () => {
        const socket = this.#socket();
        socket?.cork();
        for (const p of [size, head, ...parts]) socket?.write(p);
        socket?.uncork();
      },
    }));
  }

  close(): void { this.end(new ConnectionLost(`the connection to ${this.address} was closed`)); }

  end(why: ConnectionLost): void {
    this.#raw.requestQueue.rejectAll(why);
    this.#socket()?.destroy();
    this.#raw.disconnect().catch(nothing);
  }

  async authenticate(): Promise<void> {
    this.#raw.setVersions(Object.fromEntries([...this.able.versions].map(([key, [minVersion, maxVersion]]) => [key, { minVersion, maxVersion }])));
    this.#raw.setSupportAuthenticationProtocol(true);
    try {
      await this.#raw.authenticate();
    } catch (error) {
      throw translate(error, this.address);
    }
  }
}

/** Over TCP or TLS. */
export const connect: Dial = async (host, port, s) => {
  const Raw = load();
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  let socket: Socket | null = null;
  let failure: Error | null = null;
  const memory = new ResponseMemory();
  const frames = new Frames(memory, response => raw.requestQueue.fulfillRequest({ size: response.length, correlationId: response.readInt32BE(0), payload: response.subarray(4) }),
    () => connection.end(new NoBroker(`what answers at ${address} is no Kafka broker`)));
  const raw: RawConnection = new Raw({
    host, port, ssl: s.ssl, sasl: s.sasl === null ? null : { ...s.sasl }, clientId: s.clientId, logger: silent, connectionTimeout: CONNECT_MS, requestTimeout: REQUEST_MS,
    socketFactory: ({ onConnect }: { readonly onConnect: () => void }) => {
      socket = openSocket(host, port, s.ssl, frames, onConnect);
      socket.on('error', e => { failure = e; });
      return socket;
    },
  });
  keepQuiet(raw);
  raw.processData = chunk => frames.feed(chunk);
  const connection = new Connection(address, raw, () => socket, memory);
  try {
    await raw.connect();
    connection.able = await connection.send(apiVersions);
    if (s.sasl !== null) await connection.authenticate();
    return connection;
  } catch (error) {
    connection.close();
    throw explain(error, failure, address, s.sasl);
  }
};

const FINALIZED_FEATURES = 2;

/** ApiVersions v3; the header of its answer is the oldest one. A broker that is too old for it (before 2.4) is able to do nothing. */
const apiVersions: Request<Abilities> = {
  name: 'ApiVersions', key: 18, version: 3, body: new WireWriter().tags().compactString('sqlpipe').compactString('1').tags().finish(),
  read: r => {
    const features = new Map<string, number>();
    if (r.int16() !== 0) return { versions: new Map(), features };
    const versions = new Map(r.compactArray(() => {
      const entry = [r.int16(), [r.int16(), r.int16()] as const] as const;
      r.tags();
      return entry;
    }));
    r.int32();
    r.tags(tag => {
      if (tag !== FINALIZED_FEATURES) return;
      r.compactArray(() => {
        features.set(r.compactString(), r.int16());
        r.int16();
        r.tags();
      });
    });
    return { versions, features };
  },
};

/** What is not encrypted is read into its place at once; the rest comes by `processData`. */
function openSocket(host: string, port: number, ssl: ClientSettings['ssl'], frames: Frames, onConnect: () => void): Socket {
  const options = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 };
  if (ssl === null) return connectTcp({ ...options, onread: { buffer: () => frames.next(), callback: n => { frames.got(n); return true; } } }, onConnect);
  return connectTls({ ...options, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect);
}

/** kafkajs looks at its empty queue again after a negative time, for ever: a busy timer, and TimeoutNegativeWarning on newer Nodes. */
function keepQuiet({ requestQueue }: RawConnection): void {
  const schedule = requestQueue.scheduleCheckPendingRequests.bind(requestQueue);
  requestQueue.scheduleCheckPendingRequests = () => { if (requestQueue.pending.length > 0 || requestQueue.throttledUntil > Date.now()) schedule(); };
}

/** No connection; `attempts` has each resolved address. */
export class Unreachable extends ConnectionLost {
  readonly attempts: readonly Attempt[];
  constructor(address: string, attempts: readonly Attempt[], cause: unknown) {
    super(`${address}: ${[...new Set(attempts.map(a => a.reason))].join(', ')}`, cause);
    this.attempts = attempts;
  }
}

/** Something else listens there. */
class NoBroker extends ConnectionLost {}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused', ENOTFOUND: 'no such host', EAI_AGAIN: 'the name could not be resolved', ETIMEDOUT: 'no answer', EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network', EADDRNOTAVAIL: 'the address is not available here', ECONNRESET: 'connection reset',
};

/** What no retry cures: the certificate is judged anew only when somebody changes it. */
const certificate = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT|ERR_OSSL|ERR_SSL/;

/** One for each address that a name stands for. */
interface SocketError extends Error {
  readonly code?: string;
  readonly address?: string;
  readonly port?: number;
}

const place = ({ address, port }: SocketError): string | null => (address === undefined ? null : `${address.includes(':') ? `[${address}]` : address}:${port}`);

function explain(error: unknown, failure: Error | null, address: string, sasl: Sasl | null): Error {
  const { code, errors } = (failure ?? {}) as SocketError & { readonly errors?: readonly SocketError[] };
  if (failure !== null && code !== undefined && certificate.test(code)) {
    return new PipeError('system.source.auth', `TLS with ${address} failed: ${failure.message}`, { hint: 'settings.kafka.ssl takes {ca, cert, key} as PEM text, and servername', cause: failure });
  }
  if (failure !== null) {
    const each = errors ?? [failure as SocketError];
    return new Unreachable(address, each.map(e => ({ address: place(e) ?? address, reason: reasons[e.code ?? ''] ?? (e.code ?? e.message) })), failure);
  }
  const known = translate(error, address);
  if (!(known instanceof ConnectionLost) || known instanceof Unreachable) return known;
  const closed = /closed/i.test(known.message);
  const reason = known instanceof NoBroker ? 'what answers there is no Kafka broker' : !closed ? 'no answer' : `closed by the broker (does this listener want TLS${sasl === null ? ' or SASL' : ''}?)`;
  return new Unreachable(address, [{ address, reason }], error);
}

/** kafkajs' errors in our words. */
function translate(error: unknown, address: string): Error {
  if (!(error instanceof Error)) return new ConnectionLost(String(error));
  if (error instanceof ConnectionLost || error instanceof PipeError || !error.name.startsWith('KafkaJS')) return error;
  const { type } = error as Error & { readonly type?: string };
  // a broker that goes down in the middle of a handshake is no wrong password
  const broken = /closed|connection error|not connected|timed out|timeout/i.test(error.message);
  const refused = error.name === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED' || type === 'ILLEGAL_SASL_STATE' || type === 'UNSUPPORTED_SASL_MECHANISM';
  if (refused && !broken) {
    return new PipeError('system.source.auth', `${address} refused the login: ${error.message.replace(/^.*authentication failed: /i, '')}`, { hint: 'see settings.kafka.sasl: {mechanism, username, password}' });
  }
  return new ConnectionLost(`${address}: ${error.message}`, error);
}
