import type { ServerResponse } from 'node:http';

/** Bytes that wait for a slow client; past it nothing more is given to it. */
const MOST_BEHIND = 1 << 20;
/** ms between comments that keep a quiet connection alive. */
const QUIET_MS = 15_000;

/** Server-sent events to one client. Ends with the client, or by `end`. */
export class EventStream {
  readonly #res: ServerResponse;
  readonly #gone = new AbortController();
  #quiet: NodeJS.Timeout;

  /** `stop`: the server ends. */
  constructor(res: ServerResponse, stop: AbortSignal) {
    this.#res = res;
    res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
    res.flushHeaders();
    this.#quiet = setInterval(() => { if (!this.behind) res.write(': \n\n'); }, QUIET_MS).unref();
    const end = (): void => this.end();
    stop.addEventListener('abort', end);
    res.on('close', end).on('error', end);
    this.signal.addEventListener('abort', () => stop.removeEventListener('abort', end));
    if (stop.aborted || res.destroyed) this.end();
  }

  /** Aborted when nobody listens any more. */
  get signal(): AbortSignal { return this.#gone.signal; }

  /** The client has not taken what it was given. */
  get behind(): boolean { return this.#res.writableLength > MOST_BEHIND; }

  /** `text`: one line of JSON. False: the client is behind, and does not get it. */
  send(event: string, text: string): boolean {
    if (this.signal.aborted || this.behind) return false;
    this.#quiet.refresh();
    this.#res.write(`event: ${event}\ndata: ${text}\n\n`);
    return true;
  }

  end(): void {
    if (this.signal.aborted) return;
    clearInterval(this.#quiet);
    this.#gone.abort();
    this.#res.end();
  }
}
