import { PipeError } from '../errors.ts';
import type { MetricsAddress } from '../ui/metrics-server.ts';
import { countFlag } from './args.ts';
import type { Flag } from './command.ts';

/** Flags of every command with a dashboard. */
export const dashboardFlags: readonly Flag[] = [
  { name: 'allow-actions', value: 'boolean', summary: 'the dashboard may pause and drain jobs, send records and replay dead letters' },
];

/** Those of `run`. */
export const runUiFlags: readonly Flag[] = [
  { name: 'ui', value: 'PORT', optional: /^\d+$/, summary: 'a dashboard of these pipelines for a browser of this machine (default port 7070, or the next free one)' },
  ...dashboardFlags,
  { name: 'metrics', value: 'PORT', optional: /^(\S+:)?\d+$/, summary: 'Prometheus metrics at /metrics, with /healthz and /readyz (default port 9464, for this machine; HOST:PORT for others)' },
];

/** The value of `--metrics`. Throws user.usage.bad_value. */
export function metricsFlag(text: string): MetricsAddress {
  const [given, host, port] = /^(?:(?:(\S+):)?(\d+))?$/.exec(text) ?? [];
  if (given === undefined) throw new PipeError('user.usage.bad_value', `--metrics takes a port, or HOST:PORT, not "${text}"`);
  // as an address of the web names IPv6
  return { host: host?.replace(/^\[(.*)\]$/, '$1') ?? null, port: portFlag('--metrics', port) };
}

/** `--port`, or the value of `--ui`. Throws user.usage.bad_value. */
export function portFlag(flag: string, text: string | undefined): number | null {
  if (text === undefined || text === '') return null;
  const port = countFlag(flag, text);
  if (port > 65535) throw new PipeError('user.usage.bad_value', `${flag} takes a port: 0 to 65535, not ${text}`);
  return port;
}
