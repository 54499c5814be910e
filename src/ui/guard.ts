import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { Refusal } from './refusal.ts';

/** Sent with every answer: no script but ours, no frame, no other site. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

export const newToken = (): string => randomBytes(24).toString('base64url');

const LOCAL = ['localhost', '127.0.0.1', '[::1]'];
const ANY = ['0.0.0.0', '::', '[::]'];

/** What a server listens on. */
interface Listening {
  readonly host: string;
  readonly port: number;
}

/** By which names a server is reached: a page of another site must not talk to it, whatever name it gave our address (DNS rebinding). */
export class HostGuard {
  readonly #hosts: ReadonlySet<string>;
  /** Listens on all addresses: each of them is ours, and a number needs no DNS. */
  readonly #anyNumber: boolean;
  readonly #port: number;

  constructor({ host, port }: Listening) {
    this.#anyNumber = ANY.includes(host);
    const own = this.#anyNumber ? [hostname()] : [isIP(host) === 6 ? `[${host}]` : host];
    this.#hosts = new Set([...LOCAL, ...own].flatMap(h => (port === 80 ? [h, `${h}:80`] : [`${h}:${port}`])).map(h => h.toLowerCase()));
    this.#port = port;
  }

  /** Throws 421 unless the request is for a name of ours. */
  host(req: IncomingMessage): void {
    const host = req.headers.host?.toLowerCase() ?? '';
    if (this.#hosts.has(host) || (this.#anyNumber && this.#isNumber(host))) return;
    throw new Refusal(421, 'user.usage.not_allowed', 'the dashboard does not answer to this Host', 'open it by the address that it printed');
  }

  #isNumber(host: string): boolean {
    const [, name = '', port = '80'] = /^(\[[0-9a-f:.]+\]|[0-9.]+)(?::(\d+))?$/.exec(host) ?? [];
    return isIP(name.replace(/^\[|\]$/g, '')) !== 0 && Number(port) === this.#port;
  }
}

/** Who may talk to the dashboard: no page of another site, nobody without the token. */
export class Guard extends HostGuard {
  readonly #token: Buffer;

  constructor({ token, ...listening }: Listening & { readonly token: string }) {
    super(listening);
    this.#token = digest(token);
  }

  /** Throws 403 where another site's page asks. `must`: something may change, so a request says where it comes from. */
  origin(req: IncomingMessage, must: boolean): void {
    const { origin } = req.headers;
    const site = req.headers['sec-fetch-site'];
    const own = origin === `http://${req.headers.host as string}`;
    if ((origin === undefined ? !must : own) && (site === undefined || site === 'same-origin' || site === 'none')) return;
    throw new Refusal(403, 'user.usage.not_allowed', 'the request comes from another site', must && origin === undefined ? 'send the header Origin: the address of the dashboard, as a browser does' : undefined);
  }

  /** Throws 401 without the token. */
  token(req: IncomingMessage): void {
    const [, given] = /^Bearer ([^\s]+)$/i.exec(req.headers.authorization ?? '') ?? [];
    if (given !== undefined && timingSafeEqual(digest(given), this.#token)) return;
    throw new Refusal(401, 'user.usage.not_allowed', 'the token is missing or wrong', 'open the address that pipe printed: the token is behind its #; scripts send Authorization: Bearer TOKEN');
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
