import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { compilePipeline, type CompiledPipeline } from '../config/compile.ts';
import type { Env } from '../config/environment.ts';
import { findPipelines } from '../config/find.ts';
import { loadPipeline } from '../config/load.ts';
import { type PipeError, problemsOf } from '../errors.ts';
import { notFound } from './refusal.ts';

/** The pipelines of a dashboard. */
export interface Pipelines {
  /** Those that compile, by name. */
  all(): readonly CompiledPipeline[];
  /** Throws 404, or what is wrong with its file. */
  find(name: string): CompiledPipeline;
}

/** Pipelines of a run, as they were when it began. */
export function fixedPipelines(compiled: readonly CompiledPipeline[]): Pipelines {
  return { all: () => compiled, find: name => compiled.find(c => c.spec.name === name) ?? missing(name) };
}

interface Cached {
  readonly stamp: string;
  readonly compiled: CompiledPipeline | null;
  readonly problem: PipeError | null;
}

export interface FolderOptions {
  readonly root: string;
  readonly env: Env;
  /** Files beyond those of the folder: what jobs have run. */
  more(): readonly string[];
}

/** Pipelines of the folder `pipelines` of a project and of the jobs that ran, as their files are now. */
export class FolderPipelines implements Pipelines {
  readonly #o: FolderOptions;
  readonly #cache = new Map<string, Cached>();

  constructor(o: FolderOptions) { this.#o = o; }

  all(): readonly CompiledPipeline[] {
    const found = new Map<string, CompiledPipeline>();
    for (const { compiled } of this.#files()) if (compiled !== null && !found.has(compiled.spec.name)) found.set(compiled.spec.name, compiled);
    return [...found.values()].sort((a, b) => (a.spec.name < b.spec.name ? -1 : 1));
  }

  find(name: string): CompiledPipeline {
    const files = this.#files();
    const found = files.find(f => f.compiled?.spec.name === name);
    if (found?.compiled != null) return found.compiled;
    const broken = files.find(f => f.problem !== null && basename(f.path, '.yaml') === name);
    if (broken?.problem != null) throw broken.problem;
    return missing(name);
  }

  #files(): readonly (Cached & { readonly path: string })[] {
    const { root } = this.#o;
    const paths = new Set([...findPipelines(['pipelines'], { cwd: root, root }).files, ...this.#o.more()]);
    return [...paths].flatMap(path => {
      const cached = this.#read(path);
      return cached === null ? [] : [{ ...cached, path }];
    });
  }

  /** null where the file is gone. */
  #read(path: string): Cached | null {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return null;
    const stamp = `${stat.mtimeMs} ${stat.size}`;
    const known = this.#cache.get(path);
    if (known?.stamp === stamp) return known;
    const fresh: Cached = { stamp, ...this.#compile(path) };
    this.#cache.set(path, fresh);
    return fresh;
  }

  #compile(path: string): Omit<Cached, 'stamp'> {
    try {
      return { compiled: compilePipeline(loadPipeline(path, { env: this.#o.env, root: this.#o.root, tests: false })), problem: null };
    } catch (error) {
      const problem = problemsOf(error)?.[0] ?? null;
      if (problem === null) throw error;
      return { compiled: null, problem };
    }
  }
}

function missing(name: string): never {
  throw notFound(`this dashboard has no pipeline "${name}"`, 'its file must be in the folder pipelines of the project, or where it last ran');
}
