import { compilePipeline, sqlProblems, type CompiledPipeline } from '../config/compile.ts';
import { TEST_FILE } from '../config/find.ts';
import { readPipeline, shownName, type Loaded } from '../config/load.ts';
import { readTestFile } from '../config/read-test-file.ts';
import type { Env } from '../config/environment.ts';
import type { TestSpec } from '../config/spec.ts';
import { problemsOf, type PipeError } from '../errors.ts';

/** The tests of one file with the pipeline that they are about. */
export interface Suite {
  /** Absolute path. */
  readonly path: string;
  /** Path from the current folder. */
  readonly file: string;
  /** Absolute path of the pipeline; null: none is named. */
  readonly pipeline: string | null;
  /** null: it has problems. */
  readonly compiled: CompiledPipeline | null;
  readonly tests: readonly TestSpec[];
  /** What is wrong with the pipeline; a test may expect it. */
  readonly problems: readonly PipeError[];
  /** What makes that no test of the file can run. */
  readonly broken: readonly PipeError[];
  readonly warnings: readonly PipeError[];
}

export interface SuiteOptions {
  readonly env: Env;
  readonly root: string;
  readonly cwd: string;
}

/** Reads a pipeline file with its tests, or a file of tests with its pipeline. Never throws on what they hold. */
export function loadSuite(path: string, o: SuiteOptions): Suite {
  const file = shownName(path, o.cwd);
  const options = { env: o.env, root: o.root, name: file };
  if (!path.endsWith(TEST_FILE)) {
    const loaded = readPipeline(path, options);
    const tests = loaded.spec?.tests ?? [];
    return suite({ path, file, pipeline: path, tests, own: [], warnings: loaded.warnings, ...compiled(loaded) });
  }
  const { pipeline, loaded, tests, problems, warnings } = readTestFile(path, { ...options, from: o.cwd });
  const c = loaded === null ? { compiled: null, problems: [] } : compiled(loaded);
  // columns that a test expects are checked with the pipeline
  const [own, others] = [c.problems.filter(p => p.span?.source.name === file), c.problems.filter(p => p.span?.source.name !== file)];
  return suite({ path, file, pipeline, tests, own: [...problems, ...own], compiled: c.compiled, problems: others, warnings: [...warnings, ...(loaded?.warnings ?? [])] });
}

function suite({ own, ...s }: Omit<Suite, 'broken'> & { readonly own: readonly PipeError[] }): Suite {
  const expected = s.tests.length > 0 && s.tests.every(t => t.error !== null);
  return { ...s, broken: own.length > 0 || (s.problems.length > 0 && !expected) ? [...own, ...s.problems] : [] };
}

function compiled({ spec, unknown, problems }: Loaded): Pick<Suite, 'compiled' | 'problems'> {
  if (spec === null) return { compiled: null, problems };
  if (problems.length > 0) return { compiled: null, problems: [...problems, ...sqlProblems(spec, unknown)] };
  try {
    return { compiled: compilePipeline(spec), problems: [] };
  } catch (error) {
    const found = problemsOf(error);
    if (found === null) throw error;
    return { compiled: null, problems: found };
  }
}
