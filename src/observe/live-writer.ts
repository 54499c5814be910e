import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../state/folders.ts';
import type { JobReport } from './job.ts';
import { liveName, PLAN } from './live-names.ts';
import type { PlanReport } from './plan.ts';

/**
 * What other processes read of the pipelines of this one: files in the folder `live` of the data folder, 0600. A reader sees a whole
 * report or the one before. Where one cannot be written the run goes on: nothing depends on it, and a full disk says so elsewhere.
 */
export class LiveFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#tried(() => makeFolders(folder));
  }

  report(r: JobReport): void { this.#put(liveName(r.pipeline, r.log.id), r); }
  plan(pipeline: string, logId: string, plan: PlanReport): void { this.#put(liveName(pipeline, logId, PLAN), plan); }

  #put(name: string, what: unknown): void {
    const path = join(this.#folder, name);
    this.#tried(() => {
      writeFileSync(`${path}.new`, JSON.stringify(what), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    });
  }

  #tried(write: () => void): void {
    try {
      write();
    } catch {
      // the next one may succeed
    }
  }
}
