import { watch, type FSWatcher } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { plural } from '../numbers.ts';

/** Editors write a file in several steps: a round begins when nothing has changed for so long (ms). */
const QUIET_MS = 100;

/** Runs rounds of tests until the signal: all of them first, then those to which a changed file matters. */
export class Watcher {
  readonly #signal: AbortSignal;
  readonly #say: (line: string) => void;
  /** By folder: files themselves lose their watcher when an editor puts another in their place. */
  readonly #folders = new Map<string, FSWatcher>();
  #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #settled = false;
  #wake: () => void = () => undefined;

  constructor(signal: AbortSignal, say: (line: string) => void) {
    this.#signal = signal;
    this.#say = say;
  }

  async watch(round: (only: ReadonlySet<string> | null) => Promise<{ readonly files: readonly (readonly string[])[] }>): Promise<void> {
    let only: ReadonlySet<string> | null = null;
    const stop = (): void => this.#wake();
    this.#signal.addEventListener('abort', stop);
    try {
      let known = -1;
      while (!this.#signal.aborted) {
        const { files } = await round(only);
        const all = new Set(files.flat());
        for (const f of all) this.#add(dirname(f));
        if (all.size !== known) this.#say(`watching ${plural(all.size, 'file')}; Ctrl-C ends`);
        known = all.size;
        only = await this.#next();
      }
    } finally {
      clearTimeout(this.#timer);
      this.#signal.removeEventListener('abort', stop);
      for (const w of this.#folders.values()) w.close();
    }
  }

  /** Files that have changed; null: all may have, since variables did. */
  async #next(): Promise<ReadonlySet<string> | null> {
    while (!this.#signal.aborted) {
      if (!this.#settled) await new Promise<void>(done => { this.#wake = done; });
      if (!this.#settled) continue;
      this.#settled = false;
      const changed = this.#changed;
      this.#changed = new Set();
      if ([...changed].some(f => basename(f) === '.env')) return null;
      if ([...changed].some(f => f.endsWith('.yaml'))) return changed;
    }
    return null;
  }

  #add(folder: string): void {
    if (this.#folders.has(folder)) return;
    const watcher = watch(folder, (_, name) => {
      if (name === null) return;
      this.#changed.add(join(folder, name));
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => { this.#settled = true; this.#wake(); }, QUIET_MS);
    });
    watcher.on('error', () => undefined);
    this.#folders.set(folder, watcher);
  }
}
