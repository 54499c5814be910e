import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

/** What becomes of a request: 'lost' never reaches the broker; 'unanswered' does, but its answer is lost. In both cases the connection breaks. */
export type Fate = 'pass' | 'lost' | 'unanswered';

/** Stands between clients and a broker, and breaks connections at chosen requests. */
export class Proxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target = 0;
  /** Asked for every request by its API key. */
  fate: (apiKey: number) => Fate = () => 'pass';

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
    let fatal: number | null = null;
    client.on('data', frames(frame => {
      const fate = this.fate(frame.readInt16BE(4));
      if (fate === 'lost') { end(); return; }
      if (fate === 'unanswered') fatal = frame.readInt32BE(8);
      broker.write(frame);
    }));
    broker.on('data', frames(frame => {
      if (frame.readInt32BE(4) === fatal) end();
      else client.write(frame);
    }));
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
