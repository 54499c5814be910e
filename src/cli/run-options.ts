import { totalmem } from 'node:os';
import { mayCompile } from '../codegen/writer.ts';
import type { OnError, PipelineSpec } from '../config/spec.ts';
import { PACK_GROUPS } from '../engine/group-store.ts';
import { PipeError } from '../errors.ts';
import type { MetricsAddress } from '../ui/metrics-server.ts';
import { durationFlag, wordFlag } from './args.ts';
import type { Flag, Io, Parsed } from './command.ts';
import { isoTime } from './time-flag.ts';
import { metricsFlag, portFlag, runUiFlags } from './ui-flags.ts';

export interface RunOptions {
  /** null: the default of the log. */
  readonly following: boolean | null;
  readonly from: 'earliest' | 'latest' | number | null;
  readonly reset: boolean;
  readonly backfill: boolean;
  /** null: the default of the log. */
  readonly print: boolean | null;
  readonly onError: OnError | null;
  /** Sent again or taken as delivered: an epoch of which the log no longer knows. */
  readonly resume: 'resend' | 'skip' | null;
  /** ms. */
  readonly connectTimeout: number;
  readonly jit: boolean;
  readonly decoder: 'fast' | 'plain';
  readonly json: boolean;
  readonly quiet: boolean;
  /** Messages as JSON with levels. */
  readonly logs: boolean;
  /** Where `--ui` and `--metrics` want a server; null: they were not given. */
  readonly ui: { readonly port: number | null } | null;
  readonly metrics: MetricsAddress | null;
  readonly batchRows: number;
  /** Threads, or null where nothing is said. */
  readonly workers: number | 'auto' | null;
  /** Groups from which on a window is packed in the state file. */
  readonly packFrom: number;
}

export const runFlags: readonly Flag[] = [
  { name: 'brokers', value: 'LIST', summary: 'Kafka brokers host:port,..; none for the embedded log (also PIPE_BROKERS, settings.kafka.brokers)' },
  { name: 'follow', value: 'boolean', summary: 'go on with new records (default on Kafka, and on a terminal)' },
  { name: 'until-end', value: 'boolean', summary: 'read to the end, close all windows, stop' },
  { name: 'from', value: 'earliest|latest|TIME', summary: 'TIME is an ISO time; with fresh state, or where --backfill begins' },
  { name: 'reset-state', value: 'boolean', summary: 'delete the saved state and start again: rows are sent a second time; sink topics are left alone' },
  { name: 'backfill', value: 'boolean', summary: 'build what an edit has added or changed again from its topics, drop what is gone, and go on' },
  { name: 'print', value: 'boolean', summary: 'rows on stdout too (default on the embedded log)' },
  { name: 'no-print', value: 'boolean', summary: 'no rows on stdout' },
  { name: 'on-error', value: 'dead_letters|skip|stop', summary: 'instead of what the file says' },
  { name: 'resume', value: 'resend|skip', summary: 'what to do with an epoch of which the log no longer knows whether it arrived' },
  { name: 'log-format', value: 'text|json', summary: 'json: each message on stderr is an object with level, time and msg, as pino writes it' },
  { name: 'connect-timeout', value: 'DURATION', summary: 'how long to try a broker that is away at start (default 30s)' },
  { name: 'workers', value: 'N|auto', summary: 'threads that share the work; auto: those of the machine while a backlog is large (default settings.workers, else auto)' },
  { name: 'jit', value: 'on|off', summary: 'off: closures instead of generated code (default on, off where Node forbids code from text)' },
  { name: 'decoder', value: 'fast|plain', summary: 'plain: records are read without generated code, as with --jit=off' },
  ...runUiFlags,
];

const DEFAULT_BATCH_ROWS = 8192;
const MOST_WORKERS = 64;

/** Flags of `run`. Throws user.usage.bad_value. */
export function runOptions(p: Parsed, io: Io): RunOptions {
  const both = (a: string, b: string): boolean | null => {
    if (p.has(a) && p.has(b)) throw new PipeError('user.usage.bad_value', `--${a} and --${b} exclude each other`);
    return p.has(a) ? true : p.has(b) ? false : null;
  };
  const onError = p.text('on-error');
  const resume = p.text('resume');
  const ui = p.text('ui');
  const metrics = p.text('metrics');
  if (p.has('allow-actions') && ui === undefined) throw new PipeError('user.usage.bad_value', '--allow-actions is for a dashboard', { hint: 'add --ui' });
  return {
    following: both('follow', 'until-end'),
    from: from(p.text('from')),
    reset: both('reset-state', 'backfill') === true,
    backfill: p.has('backfill'),
    print: both('print', 'no-print'),
    onError: onError === undefined ? null : wordFlag('--on-error', onError, ['dead_letters', 'skip', 'stop'] as const),
    resume: resume === undefined ? null : wordFlag('--resume', resume, ['resend', 'skip'] as const),
    connectTimeout: durationFlag('--connect-timeout', p.text('connect-timeout') ?? '30s'),
    jit: jit(p.text('jit')),
    decoder: wordFlag('--decoder', p.text('decoder') ?? 'fast', ['fast', 'plain'] as const),
    json: p.has('json'),
    quiet: p.has('quiet'),
    ui: ui === undefined ? null : { port: portFlag('--ui', ui) },
    metrics: metrics === undefined ? null : metricsFlag(metrics),
    logs: wordFlag('--log-format', p.text('log-format') ?? 'text', ['text', 'json'] as const) === 'json',
    batchRows: Math.max(1, Math.floor(Number(io.env['PIPE_BATCH_ROWS']) || DEFAULT_BATCH_ROWS)),
    workers: workers(p.text('workers')),
    packFrom: Math.max(1, Math.floor(Number(io.env['PIPE_PACK_GROUPS']) || PACK_GROUPS)),
  };
}

/** On, but where Node forbids it. */
function jit(text: string | undefined): boolean {
  const on = text === undefined ? mayCompile() : wordFlag('--jit', text, ['on', 'off'] as const) === 'on';
  if (on && text !== undefined && !mayCompile()) throw new PipeError('user.usage.bad_value', '--jit=on: this Node makes no code from text (--disallow-code-generation-from-strings)', { hint: 'leave --jit out: it is off there' });
  return on;
}

function workers(text: string | undefined): number | 'auto' | null {
  if (text === undefined) return null;
  if (text === 'auto') return text;
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1 || n > MOST_WORKERS) throw new PipeError('user.usage.bad_value', `--workers takes 1 to ${MOST_WORKERS}, or auto, not "${text}"`);
  return n;
}

function from(text: string | undefined): RunOptions['from'] {
  if (text === undefined) return null;
  if (text === 'earliest' || text === 'latest') return text;
  const ms = isoTime(text);
  if (ms === null) throw new PipeError('user.usage.bad_value', `--from takes earliest, latest or an ISO time such as 2024-01-01T12:00:00Z, not "${text}"`);
  return ms;
}

/** Bytes of state in memory: the file's limit, else a quarter of the machine's. */
export const memoryLimit = (spec: PipelineSpec): number => spec.settings.memory ?? Math.floor(totalmem() / 4);
