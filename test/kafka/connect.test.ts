import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Log } from '../../src/connectors/connector.ts';
import { openKafkaLog } from '../../src/connectors/kafka/log.ts';
import type { KafkaSettings } from '../../src/config/spec.ts';
import { canOwnBroker, type OwnBroker, startBroker } from './broker.ts';
import { brokers, listen, unique, type Heard } from './support.ts';

const client = (c: Readonly<Record<string, unknown>>): KafkaSettings => ({ brokers: null, idPrefix: '', client: c });
const signal = new AbortController().signal;
const log = (addresses: readonly string[], settings: KafkaSettings | null = null, notices: Heard = listen()): Log => openKafkaLog({ brokers: addresses, settings, notices });

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const s = createServer();
  await new Promise<void>(resolve => s.listen(0, '127.0.0.1', resolve));
  const { port } = s.address() as AddressInfo;
  await new Promise(resolve => s.close(resolve));
  return port;
}

describe('a broker that is away', () => {
  it('is an error that names every address and why, after the time that was given', async () => {
    const [one, two] = [await freePort(), await freePort()];
    const l = log([`127.0.0.1:${one}`, `127.0.0.1:${two}`]);
    const error: unknown = await l.open(300, signal).catch(e => e);
    expect(error).toMatchObject({ code: 'system.source.unreachable', exit: 10, retriable: true, hint: 'start one, set --brokers or PIPE_BROKERS, or go without a broker: --brokers none' });
    expect((error as Error).message).toMatch(/^no Kafka broker answers at 127\.0\.0\.1:\d+,127\.0\.0\.1:\d+ \(tried \d+ times in 0\.3 s\): /);
    for (const port of [one, two]) expect((error as Error).message).toContain(`127.0.0.1:${port}: connection refused`);
    await l.close();
  });

  it('is said at once when the wait is long, and the wait ends at a signal', async () => {
    const heard = listen();
    const port = await freePort();
    const l = log([`127.0.0.1:${port}`], null, heard);
    const stop = new AbortController();
    const opening = l.open(600_000, stop.signal).catch(e => e);
    while (heard.lines.length === 0) await new Promise(resolve => setTimeout(resolve, 5));
    stop.abort();
    expect(await opening).toMatchObject({ code: 'system.source.unreachable' });
    expect(heard.lines).toEqual([`no answer from Kafka at 127.0.0.1:${port} yet (127.0.0.1: connection refused); trying for 600 s`]);
    await l.close();
  });

  it('names a host that does not exist', async () => {
    const l = log(['no-such-host.invalid:9092']);
    await expect(l.open(1, signal)).rejects.toMatchObject({ code: 'system.source.unreachable', message: expect.stringMatching(/no-such-host\.invalid: (no such host|the name could not be resolved)/) });
    await l.close();
  });

  it('may be something else that answers, which is not waited for', async () => {
    const web = createHttpServer((_, r) => r.end());
    await new Promise<void>(resolve => web.listen(0, '127.0.0.1', resolve));
    const { port } = web.address() as AddressInfo;
    const l = log([`127.0.0.1:${port}`]);
    await expect(l.open(1, signal)).rejects.toMatchObject({ code: 'system.source.unreachable', message: expect.stringContaining('127.0.0.1: what answers there is no Kafka broker') });
    await l.close();
    await new Promise(resolve => web.close(resolve));
  });

  it('may be something else that hangs up', async () => {
    const other: Server = createServer(s => s.destroy());
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
    const l = log([`127.0.0.1:${(other.address() as AddressInfo).port}`]);
    await expect(l.open(1, signal)).rejects.toMatchObject({ code: 'system.source.unreachable', message: expect.stringMatching(/closed by the broker|connection reset/) });
    await l.close();
    await new Promise(resolve => other.close(resolve));
  });

  it.each(['', 'a:b:c', 'host:port'])('has an address, which %j is not', address => {
    expect(() => log([address])).toThrow(expect.objectContaining({ code: 'user.config.bad_value' }));
  });
});

describe('settings of the client', () => {
  const secret = 'hunter2-secret';
  it.each([
    ['client_id', { client_id: 5 }], ['ssl', { ssl: [secret] }], ['sasl', { sasl: { mechanism: 'magic', password: secret } }], ['sasl', { sasl: secret }],
  ])('name %s when it is wrong, never its value', (key, settings) => {
    try {
      log(['a:1'], client(settings));
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'user.config.bad_value', message: expect.stringContaining(`settings.kafka.${key} must be`) });
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(secret);
    }
  });
});

describe.skipIf(brokers === null || !canOwnBroker())('SASL', () => {
  let broker: OwnBroker;
  const jaas = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_pipe="right";';
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  beforeAll(async () => {
    broker = await startBroker({
      format: ['--add-scram', 'SCRAM-SHA-256=[name=pipe,password=right]', '--add-scram', 'SCRAM-SHA-512=[name=pipe,password=right]'],
      properties: {
        'listeners': 'CLIENT://127.0.0.1:{port},INSIDE://127.0.0.1:0,CONTROLLER://127.0.0.1:{controller}', 'advertised.listeners': 'CLIENT://127.0.0.1:{port},INSIDE://127.0.0.1:{port}',
        'listener.security.protocol.map': 'CLIENT:SASL_PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT', 'inter.broker.listener.name': 'INSIDE',
        'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512', 'listener.name.client.plain.sasl.jaas.config': jaas,
        'listener.name.client.scram-sha-256.sasl.jaas.config': scram, 'listener.name.client.scram-sha-512.sasl.jaas.config': scram,
      },
    });
  });
  afterAll(() => broker.stop());

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])('%s lets us in with the right password', async mechanism => {
    const l = log([broker.address], client({ sasl: { mechanism, username: 'pipe', password: 'right' } }));
    await l.open(10_000, signal);
    const name = unique('sasl');
    expect(await l.createTopic({ name, partitions: 1, retention: null, config: {} })).toBe('created');
    await l.append(name, [{ key: null, value: Buffer.from('x'), headers: [], partition: null, timestamp: null }]);
    expect((await l.topic(name))?.partitions[0]?.end).toBe(1);
    await l.close();
  });

  it.each(['plain', 'scram-sha-256'])('%s with a wrong password is refused at once', async mechanism => {
    const heard = listen();
    const l = log([broker.address], client({ sasl: { mechanism, username: 'pipe', password: 'wrong-word' } }), heard);
    const error: unknown = await l.open(600_000, signal).catch(e => e);
    expect(error).toMatchObject({ code: 'system.source.auth', exit: 11, message: expect.stringContaining(`${broker.address} refused the login`) });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('wrong-word');
    expect(heard.lines).toEqual([]);
    await l.close();
  });

  it('names the reason when no login is given', async () => {
    const l = log([broker.address]);
    await expect(l.open(1, signal)).rejects.toMatchObject({ code: 'system.source.unreachable', message: expect.stringContaining('closed by the broker (does this listener want TLS or SASL?)') });
    await l.close();
  });
});

const hasKeytool = spawnSync('keytool', ['-help'], { stdio: 'ignore' }).status === 0;

describe.skipIf(brokers === null || !canOwnBroker() || !hasKeytool)('TLS', () => {
  let dir: string;
  let broker: OwnBroker;
  let ca: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'pipe-tls-'));
    const store = join(dir, 'broker.p12');
    const keytool = (...args: string[]): string => {
      const r = spawnSync('keytool', [...args, '-keystore', store, '-storetype', 'PKCS12', '-storepass', 'secret', '-alias', 'broker'], { encoding: 'utf8' });
      if (r.status !== 0) throw new Error(r.stdout + r.stderr);
      return r.stdout;
    };
    keytool('-genkeypair', '-keyalg', 'RSA', '-keysize', '2048', '-validity', '2', '-dname', 'CN=127.0.0.1', '-ext', 'SAN=ip:127.0.0.1');
    ca = keytool('-exportcert', '-rfc');
    broker = await startBroker({ properties: {
      'listeners': 'CLIENT://127.0.0.1:{port},INSIDE://127.0.0.1:0,CONTROLLER://127.0.0.1:{controller}', 'advertised.listeners': 'CLIENT://127.0.0.1:{port},INSIDE://127.0.0.1:{port}',
      'listener.security.protocol.map': 'CLIENT:SSL,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT', 'inter.broker.listener.name': 'INSIDE',
      'ssl.keystore.location': store, 'ssl.keystore.type': 'PKCS12', 'ssl.keystore.password': 'secret', 'ssl.key.password': 'secret',
    } });
  });
  afterAll(async () => {
    await broker?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('goes through with the certificate of the broker\'s own authority', async () => {
    const l = log([broker.address], client({ ssl: { ca } }));
    await l.open(10_000, signal);
    const name = unique('tls');
    await l.createTopic({ name, partitions: 1, retention: null, config: {} });
    await l.append(name, [{ key: null, value: Buffer.from('x'), headers: [], partition: null, timestamp: null }]);
    expect((await l.topic(name))?.partitions[0]?.end).toBe(1);
    await l.close();
  });

  it('refuses a certificate that nobody vouches for, at once', async () => {
    const l = log([broker.address], client({ ssl: true }));
    const error: unknown = await l.open(600_000, signal).catch(e => e);
    expect(error).toMatchObject({ code: 'system.source.auth', exit: 11, message: expect.stringMatching(/^TLS with 127\.0\.0\.1:\d+ failed: self-signed certificate/i) });
    await l.close();
  });

  it('says that TLS is wanted where none is spoken', async () => {
    const l = log([broker.address]);
    await expect(l.open(1, signal)).rejects.toMatchObject({ code: 'system.source.unreachable' });
    await l.close();
  });
});
