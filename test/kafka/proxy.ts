import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * What becomes of a request: 'lost' never reaches the broker; 'unanswered' does, but its answer is lost; of 'half' an answer arrives; 'late'
 * reaches it when its client has long gone. In all of them the connection breaks. A number: the answer comes so many ms later.
 */
export type Fate = 'pass' | 'lost' | 'unanswered' | 'half' | 'late' | number;

const LATE_MS = 400;
const LINGER_MS = 500;

/** Stands between clients and a broker, and breaks connections at chosen requests. */
export class Proxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target = 0;
  /** Asked for every request by its API key and its bytes from the length on. */
  fate: (apiKey: number, frame: Buffer) => Fate = () => 'pass';

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', client => this.#join(client));
  }

  static async start(): Promise<Proxy> {
    const server = createServer();
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return new Proxy(server);
  }

  get port(): number { return (this.#server.address() as AddressInfo).port; }
  get address(): string { return `127.0.0.1:${this.port}`; }

  /** The broker behind it, host:port. */
  forward(address: string): void { this.#target = Number(address.split(':')[1]); }

  async stop(): Promise<void> {
    for (const s of this.#sockets) s.destroy();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    const broker = connect(this.#target, '127.0.0.1');
    const end = (): void => { client.destroy(); broker.destroy(); };
    for (const s of [client, broker]) {
      this.#sockets.add(s);
      s.on('error', end);
      s.on('close', () => { this.#sockets.delete(s); end(); });
    }
    const answers = new Map<number, Exclude<Fate, 'pass' | 'lost' | 'late'>>();
    client.on('data', frames(frame => {
      const fate = this.fate(frame.readInt16BE(4), frame);
      if (fate === 'late') this.#later(Buffer.from(frame));
      if (fate === 'lost' || fate === 'late') { end(); return; }
      if (fate !== 'pass') answers.set(frame.readInt32BE(8), fate);
      broker.write(frame);
    }));
    broker.on('data', frames(frame => {
      const fate = answers.get(frame.readInt32BE(4)) ?? 'pass';
      answers.delete(frame.readInt32BE(4));
      if (fate === 'pass') client.write(frame);
      else if (fate === 'half') client.write(frame.subarray(0, frame.length >> 1), end);
      else if (fate === 'unanswered') end();
      else setTimeout(() => { if (!client.destroyed) client.write(frame); }, fate);
    }));
  }

  /** On a connection of its own. */
  #later(frame: Buffer): void {
    setTimeout(() => {
      const broker = connect(this.#target, '127.0.0.1');
      this.#sockets.add(broker);
      broker.on('error', () => undefined).on('close', () => this.#sockets.delete(broker));
      broker.write(frame);
      setTimeout(() => broker.destroy(), LINGER_MS);
    }, LATE_MS);
  }
}

/** Whole frames (with their length) out of a stream. */
function frames(each: (frame: Buffer) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return chunk => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0);
      const frame = rest.subarray(0, end);
      rest = rest.subarray(end);
      each(frame);
    }
  };
}
