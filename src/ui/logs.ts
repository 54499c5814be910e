import type { Log } from '../connectors/connector.ts';
import { PipeError } from '../errors.ts';
import { notFound } from './refusal.ts';

/** ms until a log that did not open is tried again. */
const AGAIN_MS = 5000;

/** A log that a dashboard looks at. */
export interface LogEntry {
  readonly kind: Log['kind'];
  readonly label: string;
  /** Opened. */
  open(): Promise<Log>;
}

export interface LogAnswer {
  /** null as long as it cannot be reached. */
  readonly id: string | null;
  readonly kind: Log['kind'];
  readonly label: string;
  readonly error: string | null;
}

interface Tried {
  readonly entry: LogEntry;
  opening: Promise<Log> | null;
  log: Log | null;
  error: PipeError | null;
  at: number;
}

/** The logs of a dashboard: opened when they are asked for, and again when that failed. */
export class Logs {
  readonly #tried: readonly Tried[];

  constructor(entries: readonly LogEntry[]) { this.#tried = entries.map(entry => ({ entry, opening: null, log: null, error: null, at: -Infinity })); }

  /** What there is; tries what is not open yet. */
  async list(): Promise<readonly LogAnswer[]> {
    await this.open();
    return this.#tried.map(t => ({ id: t.log?.id ?? null, kind: t.entry.kind, label: t.log?.label ?? t.entry.label, error: t.error?.message ?? null }));
  }

  /** Those that can be reached. */
  async open(): Promise<readonly Log[]> {
    await Promise.all(this.#tried.map(t => this.#opened(t).catch(() => undefined)));
    return this.#tried.flatMap(t => t.log ?? []);
  }

  /** By id; without one the only log, or the first. Throws 404, or why none can be reached. */
  async find(id: string | null): Promise<Log> {
    const logs = await this.open();
    const found = id === null ? logs[0] : logs.find(l => l.id === id);
    if (found !== undefined) return found;
    const error = this.#tried.find(t => t.error !== null)?.error;
    if (error != null) throw error;
    throw notFound(id === null ? 'there is no log' : 'this dashboard has no log of this id', `logs: ${logs.map(l => l.id).join(', ')}`);
  }

  async #opened(t: Tried): Promise<Log> {
    if (t.log !== null) return t.log;
    if (t.error !== null && performance.now() - t.at < AGAIN_MS) throw t.error;
    t.opening ??= t.entry.open();
    try {
      t.log = await t.opening;
      t.error = null;
      return t.log;
    } catch (error) {
      if (error instanceof PipeError) t.error = error;
      t.at = performance.now();
      throw error;
    } finally {
      t.opening = null;
    }
  }
}
