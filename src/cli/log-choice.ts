import type { KafkaSettings } from '../config/spec.ts';
import { PipeError } from '../errors.ts';
import type { Io, Parsed } from './command.ts';

/** Which log a command works on, and why. */
export interface LogChoice {
  /** null: the embedded log. */
  readonly brokers: readonly string[] | null;
  /** In brackets after the log's name: 'no broker set', '--brokers', 'PIPE_BROKERS', 'settings.kafka.brokers'. */
  readonly origin: string;
}

/**
 * `--brokers`, PIPE_BROKERS, the pipeline's settings, else the embedded log; `none` forces the embedded log.
 * Throws user.usage.bad_value.
 */
export function chooseLog(p: Parsed, io: Pick<Io, 'env'>, settings: KafkaSettings | null): LogChoice {
  const flag = p.text('brokers');
  const env = io.env['PIPE_BROKERS'];
  if (flag !== undefined) return parse('--brokers', flag);
  if (env !== undefined && env !== '') return parse('PIPE_BROKERS', env);
  if (settings !== null && settings.brokers !== null) return { brokers: settings.brokers, origin: 'settings.kafka.brokers' };
  return { brokers: null, origin: 'no broker set' };
}

function parse(origin: string, text: string): LogChoice {
  if (text === 'none') return { brokers: null, origin: `${origin} none` };
  const brokers = text.split(',').map(b => b.trim()).filter(b => b !== '');
  const bad = brokers.find(b => !/^(\[[0-9a-fA-F:.]+\]|[^\s:/@]+)(:\d{1,5})?$/.test(b));
  const port = brokers.find(b => Number(/:(\d+)$/.exec(b)?.[1] ?? 1) > 65535);
  if (port !== undefined) throw new PipeError('user.usage.bad_value', `${origin}: the port of "${port}" is none: 1 to 65535`);
  if (brokers.length === 0 || bad !== undefined) {
    throw new PipeError('user.usage.bad_value', `${origin} takes host:port,host:port or none, not "${(bad ?? text).replace(/^.*@/s, '***@')}"`);
  }
  return { brokers: brokers.map(b => (/:\d+$/.test(b) ? b : `${b}:9092`)), origin };
}
