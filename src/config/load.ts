import { statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { PipeError, PipeErrors, SourceText, type Span } from '../errors.ts';
import { environment, substitute, type Env } from './environment.ts';
import { missingFile } from './find.ts';
import type { Folders } from './paths.ts';
import { Reader } from './reader.ts';
import { firstBytes, MAX_BYTES, STDIN } from './read-file.ts';
import { checkTopics, readSink, readStep } from './read-queries.ts';
import { readSettings } from './read-settings.ts';
import { readSource } from './read-source.ts';
import { readTests } from './read-tests.ts';
import { shapeProblems } from './shape.ts';
import type { PipelineSpec } from './spec.ts';
import { entry, parseYaml, type Entry, type Node } from './tree.ts';

/** U+FFFD in UTF-8. */
const REPLACEMENT = Buffer.from('\ufffd');

export interface LoadOptions {
  readonly env: Env;
  /** Project root. */
  readonly root: string;
  /** Name of the file in messages; default: the path from the root. */
  readonly name?: string;
  /** Instead of what the file holds by now. */
  readonly text?: string;
  /** false: `tests:` is passed over, whatever it holds. */
  readonly tests?: boolean;
}

/** What came of a file: with problems there is still a spec, if it is a map at all, whole enough for its SQL to be checked too. */
export interface Loaded {
  readonly spec: PipelineSpec | null;
  /** Sources and steps whose columns are not known. */
  readonly unknown: ReadonlySet<string>;
  readonly problems: readonly PipeError[];
  readonly warnings: readonly PipeError[];
}

/** Reads and checks a pipeline file. Throws PipeErrors with every problem of its configuration; its SQL is only kept. */
export function loadPipeline(path: string, o: LoadOptions): PipelineSpec {
  const { spec, problems } = readPipeline(path, o);
  if (spec === null || problems.length > 0) throw new PipeErrors(problems);
  return spec;
}

/** As loadPipeline, but gives the problems back, in the order of the file. */
export function readPipeline(path: string, o: LoadOptions): Loaded {
  const { tree, folders, source, unset, problems } = readTree(path, o);
  if (tree === null) return nothing(inOrder(problems));
  const r = new Reader();
  r.problems.push(...shapeProblems(tree));
  const spec = readSpec(r, tree, source, resolve(path), folders);
  return { spec, unknown: r.unknown, problems: withUnset(r.problems, unset), warnings: inOrder(r.warnings) };
}

/** A YAML file with the variables of the environment in place. */
export interface Tree {
  /** null: there are problems. */
  readonly tree: Node | null;
  readonly source: SourceText;
  readonly folders: Folders;
  /** Variables that are not set. */
  readonly unset: readonly PipeError[];
  readonly problems: readonly PipeError[];
}

export function readTree(path: string, o: LoadOptions): Tree {
  const file = resolve(path);
  // what comes from stdin stands nowhere
  const folders: Folders = { dir: file === STDIN ? resolve(o.root) : dirname(file), root: resolve(o.root) };
  const name = o.name ?? shownName(file, folders.root);
  const failed = (problems: readonly PipeError[], source = new SourceText(name, '')): Tree => ({ tree: null, source, folders, unset: [], problems });
  let source: SourceText;
  let lookup: (name: string) => string | undefined;
  try {
    source = o.text === undefined ? readText(file, name) : new SourceText(name, o.text);
    lookup = environment(o.env, folders.dir, folders.root);
  } catch (error) {
    if (!(error instanceof PipeError)) throw error;
    return failed([error]);
  }
  const { root, problems } = parseYaml(source);
  if (root === null) return failed(problems, source);
  const unset: PipeError[] = [];
  const read = o.tests === false && root.k === 'map' ? { ...root, entries: root.entries.filter(e => e.key !== 'tests') } : root;
  return { tree: substitute(read, lookup, Object.keys(o.env), unset), source, folders, unset, problems: [] };
}

/** An unset variable reads as empty text, which would be reported again as a bad value. */
export const withUnset = (problems: readonly PipeError[], unset: readonly PipeError[]): PipeError[] =>
  inOrder([...unset, ...problems.filter(p => !unset.some(u => within(u, p)))]);

const nothing = (problems: readonly PipeError[]): Loaded => ({ spec: null, unknown: new Set(), problems, warnings: [] });

/** Whether `inner` stands inside what `outer` points at. */
const within = (inner: PipeError, outer: PipeError): boolean =>
  inner.span !== undefined && outer.span !== undefined && outer !== inner && outer.span.start <= inner.span.start && inner.span.end <= outer.span.end;

const inOrder = (problems: readonly PipeError[]): PipeError[] => [...problems].sort((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0));

/** The path from the root, or the whole path of a file elsewhere. */
export function shownName(file: string, from: string): string {
  const name = relative(from, file);
  return name.startsWith('..') ? file : name;
}

/** `name` is how messages call the file. */
function readText(file: string, name: string): SourceText {
  let bytes: Buffer;
  try {
    const stat = statSync(file);
    if (stat.isDirectory()) throw new PipeError('user.config.file_missing', `${file} is a folder, not a pipeline file`);
    if (stat.size > MAX_BYTES) throw new PipeError('user.config.too_large', `${name} has ${stat.size} bytes; a pipeline file has at most ${MAX_BYTES}`);
    bytes = firstBytes(file);
    if (bytes.length > MAX_BYTES) throw new PipeError('user.config.too_large', `${name} has more than ${MAX_BYTES} bytes; a pipeline file has at most so many`);
  } catch (error) {
    if (error instanceof PipeError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw missingFile(file);
    throw new PipeError('user.config.file_missing', `${name} cannot be read (${code ?? 'unknown reason'})`, { cause: error });
  }
  try {
    return new SourceText(name, new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    throw new PipeError('user.config.yaml', `${name} is not UTF-8 text`, { span: firstBad(bytes, name), hint: 'save it as UTF-8', cause: error });
  }
}

/** The first character of bytes that are not UTF-8. */
function firstBad(bytes: Buffer, name: string): Span {
  const source = new SourceText(name, new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  const { text } = source;
  let start = 0;
  let at = 0;
  // up to the first bad one each character is as many bytes as it takes; U+FFFD itself may stand there
  for (let next = text.indexOf('\ufffd'); next >= 0; next = text.indexOf('\ufffd', start)) {
    at += Buffer.byteLength(text.slice(start, next));
    start = next;
    if (!bytes.subarray(at, at + REPLACEMENT.length).equals(REPLACEMENT)) break;
    at += REPLACEMENT.length;
    start++;
  }
  return { source, start, end: start + 1 };
}

function readSpec(r: Reader, root: Node, file: SourceText, path: string, folders: Folders): PipelineSpec | null {
  if (root.k !== 'map') return null;
  const list = (key: string): readonly Entry[] => {
    const value = entry(root, key)?.value;
    return value?.k === 'map' ? value.entries : [];
  };
  const sources = list('sources').flatMap(e => (e.value.k === 'map' ? [readSource(r, e, folders)] : []));
  for (const { key, value } of list('sources')) if (value.k !== 'map') r.unknown.add(key);
  const steps = list('steps').flatMap(e => readStep(r, e, sources) ?? []);
  const names = [...list('sources'), ...list('steps')].map(e => e.key);
  const sinks = list('sinks').flatMap(e => (e.value.k === 'map' ? readSink(r, e, names) ?? [] : []));
  const spec: PipelineSpec = {
    name: r.text(root, 'name') ?? '', description: r.text(root, 'description') ?? null, file, path, dir: folders.dir,
    sources, steps, sinks, settings: readSettings(r, entry(root, 'settings')?.value, folders),
    tests: readTests(r, entry(root, 'tests')?.value, { known: sources.filter(s => !r.unknown.has(s.name)), sources: list('sources').map(e => e.key), sinks: list('sinks').map(e => e.key) }),
  };
  checkTopics(r, spec);
  return spec;
}
