import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import { loadPipeline, readPipeline, type Loaded } from '../../src/config/load.ts';
import { PipeErrors, type PipeError } from '../../src/errors.ts';
import type { PipelineSpec } from '../../src/config/spec.ts';

/** A folder of its own for each test, removed after it. */
export class Folder {
  readonly #made: string[] = [];
  #dir: string | null = null;

  constructor() {
    afterEach(() => {
      for (const dir of this.#made.splice(0)) rmSync(dir, { recursive: true, force: true });
      this.#dir = null;
    });
  }

  get dir(): string {
    if (this.#dir === null) {
      this.#dir = mkdtempSync(join(tmpdir(), 'pipe-config-'));
      this.#made.push(this.#dir);
    }
    return this.#dir;
  }

  write(name: string, text: string | Buffer): string {
    const path = join(this.dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  read(text: string, env: Record<string, string> = {}): Loaded { return readPipeline(this.write('p.yaml', text), { env, root: this.dir }); }

  readFile(text: string | Buffer): Loaded { return readPipeline(this.write('p.yaml', text), { env: {}, root: this.dir }); }

  /** Codes of the problems of a pipeline in `pipelines/` of a project. */
  readIn(root: string, text: string): string[] { return readPipeline(join(root, 'pipelines/p.yaml'), { env: {}, root, text }).problems.map(p => p.code); }

  load(text: string, env: Record<string, string> = {}): PipelineSpec { return loadPipeline(this.write('p.yaml', text), { env, root: this.dir }); }

  /** `code line:col marked text: message (hint)` of each problem. */
  problems(text: string, env: Record<string, string> = {}): string[] { return this.read(text, env).problems.map(describeProblem); }
}

export function describeProblem(p: PipeError): string {
  const at = p.span?.source.position(p.span.start);
  const marked = p.span?.source.text.slice(p.span.start, p.span.end).split('\n')[0];
  return `${p.code.replace('user.', '')} ${at === undefined ? '-' : `${at.line}:${at.col}`} <${marked ?? ''}> ${p.message}`;
}

export function problemsOf(work: () => unknown): readonly PipeError[] {
  try {
    work();
  } catch (error) {
    if (error instanceof PipeErrors) return error.problems;
    throw error;
  }
  return [];
}

/** A pipeline that is right, with parts replaced. */
export function pipeline(parts: { source?: string; sink?: string; rest?: string } = {}): string {
  return `name: p
sources:
  t:
    ${(parts.source ?? 'schema: account STRING, amount DECIMAL(12,2), timestamp STRING\nevent_time: {from: timestamp, unit: s}').replaceAll('\n', '\n    ')}
sinks:
  out:
    ${(parts.sink ?? 'sql: SELECT account FROM t').replaceAll('\n', '\n    ')}
${parts.rest ?? ''}`;
}
