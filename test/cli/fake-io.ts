import { Readable } from 'node:stream';
import type { Io, Sinkable } from '../../src/cli/command.ts';

export class Capture implements Sinkable {
  readonly chunks: Buffer[] = [];
  closed = false;
  isTTY = false;
  columns = 80;
  rows = 24;
  write(text: string | Uint8Array): boolean {
    this.chunks.push(Buffer.from(text as string));
    return true;
  }
  drained(): Promise<void> { return Promise.resolve(); }
  get text(): string { return Buffer.concat(this.chunks).toString(); }
}

export interface FakeIo extends Io {
  readonly out: Capture;
  readonly err: Capture;
}

export function fakeIo(more: { cwd?: string; env?: Record<string, string>; input?: string; signal?: AbortSignal; orphaned?: () => boolean } = {}): FakeIo {
  return {
    out: new Capture(), err: new Capture(), in: Readable.from(more.input === undefined ? [] : [more.input]),
    env: more.env ?? {}, orphaned: more.orphaned ?? (() => false), keys: null, pid: process.pid, kill: (pid, signal) => { process.kill(pid, signal); }, cwd: more.cwd ?? '/', signal: more.signal ?? new AbortController().signal,
  };
}
