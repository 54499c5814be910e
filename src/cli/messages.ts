import type { Notices } from '../connectors/connector.ts';
import type { Sinkable } from './command.ts';
import { harmless } from './text-width.ts';

/** What is redrawn at the bottom of a terminal, or logged from time to time. */
export interface Board {
  /** Runs `print` with it out of the way. */
  above(print: () => void): void;
  stop(): void;
}

export interface MessageOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  /** `--log-format json`. */
  readonly logs: boolean;
}

/** As pino numbers them. */
export const LEVELS = { info: 30, warn: 40, error: 50 } as const;

/** What a run says on stderr: lines for people, or JSON with `level`, `time` (epoch ms) and `msg` as pino writes it. */
export class Messages implements Notices {
  readonly #err: Sinkable;
  readonly #o: MessageOptions;
  #board: Board | null = null;

  constructor(err: Sinkable, o: MessageOptions) {
    this.#err = err;
    this.#o = o;
  }

  /** From now on lines go above it. */
  show(board: Board): void { this.#board = board; }

  end(): void {
    this.#board?.stop();
    this.#board = null;
  }

  above(print: () => void): void {
    if (this.#board === null) print();
    else this.#board.above(print);
  }

  info(line: string): void {
    if (this.#o.quiet) return;
    if (this.#o.logs) this.#write(logLine('info', line));
    else if (!this.#o.json) this.#write(plain(line));
  }

  warn(message: string): void {
    if (this.#o.logs) this.#write(logLine('warn', message));
    else if (this.#o.json) this.#write(JSON.stringify({ code: null, severity: 'warning', file: null, line: null, col: null, endCol: null, message, hint: null }));
    else this.#write(`warning: ${plain(message)}`);
  }

  #write(line: string): void { this.above(() => this.#err.write(`${line}\n`)); }
}

/** A line of `--log-format json`. */
export const logLine = (level: keyof typeof LEVELS, msg: string, more: object = {}): string => JSON.stringify({ level: LEVELS[level], time: Date.now(), msg, ...more });

/** Lines that may quote data, harmless for a terminal. */
const plain = (text: string): string => text.split('\n').map(harmless).join('\n');
