import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { PipeError } from '../errors.ts';
import { closest } from '../suggest.ts';
import { firstBytes, STDIN } from './read-file.ts';

/** How the name of a file of tests ends. */
export const TEST_FILE = '.test.yaml';

export const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** The pipeline files of a folder, not deeper, in the order of their names, with files of tests only where `tests`; none where it cannot be read. */
export function filesOf(folder: string, tests = false): string[] {
  try {
    return readdirSync(folder).filter(f => f.endsWith('.yaml') && (tests || !f.endsWith(TEST_FILE)) && !f.startsWith('.')).sort().map(f => join(folder, f)).filter(f => !isFolder(f));
  } catch {
    return [];
  }
}

export interface Found {
  /** Absolute paths, each once. */
  readonly files: readonly string[];
  /** What was named and is not there: user.config.file_missing, user.config.no_pipeline. */
  readonly problems: readonly PipeError[];
}

/** The pipelines that a command line names: `-` is stdin, X is the path X, else `pipelines/X` of the root, else `pipelines/X.yaml`; a folder is its *.yaml, with `tests` also its *.test.yaml. */
export function findPipelines(args: readonly string[], { cwd, root, tests = false }: { readonly cwd: string; readonly root: string; readonly tests?: boolean }): Found {
  const shipped = filesOf(join(root, 'pipelines'));
  const names = shipped.map(f => basename(f, '.yaml'));
  const there = names.length === 0 ? undefined : `pipelines here: ${names.join(', ')}`;
  if (args.length === 0) return { files: [], problems: [new PipeError('user.usage.missing_argument', 'no pipeline is named', { hint: there ?? 'give the path of a pipeline file' })] };
  const found: string[] = [];
  const problems: PipeError[] = [];
  for (const arg of args) {
    if (arg === '-') {
      found.push(STDIN);
      continue;
    }
    const places = [resolve(cwd, arg), join(root, 'pipelines', arg), join(root, 'pipelines', `${arg}.yaml`)];
    const path = places.find(p => arg !== '' && existsSync(p));
    if (path === undefined) {
      problems.push(missing(arg, places.filter(p => !p.endsWith('.yaml.yaml')).map(p => shown(p, cwd)), [...names.map(n => (arg.endsWith('.yaml') ? `${n}.yaml` : n)), ...neighbours(resolve(cwd, arg)).map(f => join(dirname(arg), basename(f)))], there));
    } else if (isFolder(path)) {
      const files = filesOf(path, tests);
      const inner = isFolder(join(path, 'pipelines')) ? join(arg, 'pipelines/') : null;
      // files of something else are read as pipelines only where there is no better place to look
      const none = files.length === 0 || (inner !== null && files.every(isStranger));
      const what = files.length === 0 ? 'no *.yaml' : `no pipeline, only ${files.map(f => basename(f)).join(', ')}`;
      if (none) problems.push(new PipeError('user.config.no_pipeline', `folder ${arg} holds ${what}`, { hint: inner === null ? there : `the pipelines are in ${inner}: pipe run ${inner}` }));
      else found.push(...files);
    } else if (!tests && path.endsWith(TEST_FILE)) {
      problems.push(new PipeError('user.config.no_pipeline', `${arg} holds tests of a pipeline`, { hint: `pipe test ${arg} runs them` }));
    } else {
      found.push(path);
    }
  }
  return { files: [...new Set(found)], problems };
}

const neighbours = (path: string): string[] => filesOf(dirname(path));

/** A path as it would be typed. */
function shown(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short.startsWith('..') ? path : short;
}

/** A YAML file of something else, such as compose.yaml beside `pipelines/`. */
function isStranger(file: string): boolean {
  try {
    return !/^(sources?|steps?|sinks?)[ \t]*:/m.test(firstBytes(file).toString());
  } catch {
    return false;
  }
}

function missing(arg: string, places: readonly string[], names: readonly string[], there: string | undefined): PipeError {
  const near = closest(arg, names);
  const looked = [...new Set(places)].join(', ');
  return new PipeError('user.config.file_missing', `there is no pipeline "${arg}"${arg === '' ? '' : `; looked for ${looked}`}`, { hint: near === undefined ? there : `did you mean "${near}"?` });
}

/** For a path that is gone. */
export function missingFile(file: string): PipeError {
  const near = closest(basename(file), neighbours(file).map(f => basename(f)));
  return new PipeError('user.config.file_missing', `there is no file ${file}`, { hint: near === undefined ? undefined : `did you mean "${join(dirname(file), near)}"?` });
}
