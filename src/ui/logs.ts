import { setTimeout } from 'node:timers/promises';
import type { Log } from '../connectors/connector.ts';
import { PipeError } from '../errors.ts';
import type { LogInfo } from './answers.ts';
import { notFound } from './refusal.ts';

/** ms until a log that did not open is tried again. */
const AGAIN_MS = 5000;
/** ms that an answer waits for a log. */
const MOMENT_MS = 1500;

/** A log that a dashboard looks at. */
export interface LogEntry {
  readonly kind: Log['kind'];
  readonly label: string;
  /** Opened. */
  open(): Promise<Log>;
}

interface Tried {
  readonly entry: LogEntry;
  opening: Promise<void> | null;
  log: Log | null;
  error: PipeError | null;
  at: number;
}

/** The logs of a dashboard: opened when they are asked for, and again when that failed. */
export class Logs {
  readonly #tried: readonly Tried[];

  constructor(entries: readonly LogEntry[]) { this.#tried = entries.map(entry => ({ entry, opening: null, log: null, error: null, at: -Infinity })); }

  /** What there is; tries what is not open yet. */
  async list(): Promise<readonly LogInfo[]> {
    await this.open();
    return this.#tried.map(t => ({ id: t.log?.id ?? null, kind: t.entry.kind, label: t.log?.label ?? t.entry.label, error: t.log !== null ? null : t.error?.message ?? 'it has not answered yet' }));
  }

  /** Those that can be reached within a moment. */
  async open(): Promise<readonly Log[]> {
    const trying = this.#tried.flatMap(t => this.#try(t) ?? []);
    if (trying.length > 0) await withinMoment(Promise.all(trying));
    return this.#tried.flatMap(t => t.log ?? []);
  }

  /** By id; without one the first. Throws 404, or why none can be reached. */
  async find(id: string | null): Promise<Log> {
    const wanted = (l: Log): boolean => id === null || l.id === id;
    const found = this.#tried.flatMap(t => t.log ?? []).find(wanted) ?? (await this.open()).find(wanted);
    if (found !== undefined) return found;
    const error = this.#tried.find(t => t.log === null && t.error !== null)?.error;
    if (error != null) throw error;
    throw notFound(id === null ? 'there is no log' : 'this dashboard has no log of this id', `logs: ${this.#tried.flatMap(t => t.log?.id ?? []).join(', ')}`);
  }

  /** Never rejects; null where there is nothing to wait for. */
  #try(t: Tried): Promise<void> | null {
    if (t.log !== null || (t.error !== null && performance.now() - t.at < AGAIN_MS)) return t.opening;
    t.opening ??= t.entry.open().then(log => { t.log = log; t.error = null; }, (error: unknown) => {
      t.error = error instanceof PipeError ? error : new PipeError('system.source.unreachable', (error as Error).message, { cause: error });
      t.at = performance.now();
    }).finally(() => { t.opening = null; });
    return t.opening;
  }
}

/** Waits for some work, but not for long: it goes on by itself. */
async function withinMoment(work: Promise<unknown>): Promise<void> {
  const enough = new AbortController();
  await Promise.race([work, setTimeout(MOMENT_MS, undefined, { signal: enough.signal }).catch(() => undefined)]);
  enough.abort();
}
