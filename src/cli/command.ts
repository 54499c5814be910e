/** Where a command reads and writes; commands never touch process.* so that tests call them. */
export interface Io {
  /** Data. */
  readonly out: Sinkable;
  /** Everything else. */
  readonly err: Sinkable;
  readonly in: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly pid: number;
  /** Signals a process of pipe; one that is gone by now is none. */
  kill(pid: number, signal: 'SIGTERM'): void;
  /** Whether npx or npm, which started this process and would pass signals on, is gone. */
  orphaned(): boolean;
  /** Calls back with each key that is pressed until the returned function is called; null without a terminal that is ours. */
  readonly keys: ((pressed: (key: string) => void) => () => void) | null;
  /** Aborted by the first SIGINT or SIGTERM: drain and return 0. */
  readonly signal: AbortSignal;
}

export interface Sinkable {
  write(text: string | Uint8Array): boolean;
  /** Resolves when a write that returned false has been flushed. */
  drained(): Promise<void>;
  /** Nobody reads it any more. */
  readonly closed: boolean;
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows: number;
}

export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** 'boolean', or its value in help: words in lower case are written as they are ('on|off'), a capital one stands for others ('DURATION'). */
  readonly value: 'boolean' | string;
  readonly many?: boolean;
  /** The value may be left out: the next word is one only where it looks like this. */
  readonly optional?: RegExp;
  readonly summary: string;
}

export interface Parsed {
  readonly args: readonly string[];
  text(flag: string): string | undefined;
  texts(flag: string): readonly string[];
  has(flag: string): boolean;
}

export interface Command {
  /** 'run', or 'topics ls'. */
  readonly name: string;
  readonly summary: string;
  /** After `pipe <name>`: 'FILE|FOLDER...'. */
  readonly usage: string;
  /** Shown first in help; each is a full line. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  readonly flags: readonly Flag[];
  /** Lines at the end of help. */
  readonly notes?: readonly string[];
  /** Returns the exit code; throws PipeError or PipeErrors for problems, which main prints. */
  run(p: Parsed, io: Io): Promise<number>;
}
