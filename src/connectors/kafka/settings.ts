import type { ConnectionOptions } from 'node:tls';
import type { KafkaSettings } from '../../config/spec.ts';
import { PipeError } from '../../errors.ts';

/** Passed to the client as it is; holds secrets, never printed. */
export type Sasl = Readonly<Record<string, unknown>> & { readonly mechanism: string };

export interface ClientSettings {
  readonly clientId: string;
  /** TLS options of Node, or null for plain text. */
  readonly ssl: ConnectionOptions | null;
  readonly sasl: Sasl | null;
}

const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'];

/**
 * What `settings.kafka` says beside brokers and id_prefix: ssl (true, or {ca, cert, key, passphrase, servername, rejectUnauthorized}
 * with PEM text), sasl ({mechanism, username, password}), client_id. Throws user.config.bad_value without any value of theirs.
 */
export function clientSettings(settings: KafkaSettings | null): ClientSettings {
  const client = settings?.client ?? {};
  const clientId = client['client_id'] ?? client['clientId'] ?? 'sqlpipe';
  if (typeof clientId !== 'string') throw bad('client_id', 'text');
  return { clientId, ssl: readSsl(client['ssl']), sasl: readSasl(client['sasl']) };
}

function readSsl(ssl: unknown): ConnectionOptions | null {
  if (ssl === undefined || ssl === null || ssl === false) return null;
  if (ssl === true) return {};
  if (typeof ssl !== 'object' || Array.isArray(ssl)) throw bad('ssl', 'true, or {ca, cert, key}');
  const { reject_unauthorized: verify, ...rest } = ssl as Record<string, unknown>;
  return verify === undefined ? rest : { ...rest, rejectUnauthorized: verify !== false };
}

function readSasl(sasl: unknown): Sasl | null {
  if (sasl === undefined || sasl === null) return null;
  const mechanism = typeof sasl === 'object' ? (sasl as Record<string, unknown>)['mechanism'] : undefined;
  if (typeof mechanism !== 'string' || !mechanisms.includes(mechanism.toLowerCase())) throw bad('sasl', `{mechanism, username, password}, mechanism one of ${mechanisms.join(', ')}`);
  return sasl as Sasl;
}

const bad = (key: string, wanted: string): PipeError => new PipeError('user.config.bad_value', `settings.kafka.${key} must be ${wanted}`);
