import { existsSync } from 'node:fs';
import { insidePath } from './paths.ts';
import { readPipeline, readTree, shownName, withUnset, type Loaded, type LoadOptions } from './load.ts';
import { Reader } from './reader.ts';
import { readTests } from './read-tests.ts';
import { testFileSchema } from './schema.ts';
import { shapeProblems, show, type Shape } from './shape.ts';
import type { TestSpec } from './spec.ts';
import { validate } from './test-file-validator.ts';
import { entry } from './tree.ts';

const SHAPE: Shape = {
  schema: testFileSchema, validate, name: 'a file of tests',
  example: `a file of tests looks like this:
    pipeline: large-orders.yaml
    tests:
      - name: 100 is not large
        input: {orders: [{account: a, amount: 100}]}
        expect: {large: []}`,
};

/** What came of a file of tests. */
export interface LoadedTests {
  /** Path of the pipeline, or null: it is not named, not there, or may not be read. */
  readonly pipeline: string | null;
  /** The pipeline with the tests of this file in the place of its own; its problems are those of the pipeline file alone. */
  readonly loaded: Loaded | null;
  readonly tests: readonly TestSpec[];
  /** Of the file of tests. */
  readonly problems: Loaded['problems'];
  readonly warnings: Loaded['problems'];
}

/** Reads and checks a `*.test.yaml`. `o.name` is how messages call it; the pipeline is called by its path from `from`. */
export function readTestFile(path: string, o: LoadOptions & { readonly from: string }): LoadedTests {
  const { tree, folders, unset, problems } = readTree(path, o);
  if (tree === null) return { pipeline: null, loaded: null, tests: [], problems, warnings: [] };
  const r = new Reader();
  r.problems.push(...shapeProblems(tree, SHAPE));
  const named = r.scalar(tree, 'pipeline');
  const inside = named === undefined ? null : insidePath(r, named, folders);
  const pipeline = inside !== null && existsSync(inside) ? inside : null;
  if (named !== undefined && inside !== pipeline) r.problem('user.config.file_missing', `there is no file ${show(named)}`, { span: named.span, hint: 'the path is relative to this file' });
  const loaded = pipeline === null ? null : readPipeline(pipeline, { env: o.env, root: o.root, name: shownName(pipeline, o.from) });
  const spec = loaded?.spec ?? null;
  const known = spec?.sources.filter(s => loaded?.unknown.has(s.name) === false) ?? [];
  const names = (list: readonly { readonly name: string }[] | undefined): string[] | null => (list === undefined ? null : list.map(s => s.name));
  const tests = readTests(r, entry(tree, 'tests')?.value, { known, sources: spec !== null && loaded?.unknown.size === 0 ? names(spec.sources) : null, sinks: names(spec?.sinks) });
  return { pipeline, loaded: loaded === null || spec === null ? loaded : { ...loaded, spec: { ...spec, tests } }, tests, problems: withUnset(r.problems, unset), warnings: r.warnings };
}
