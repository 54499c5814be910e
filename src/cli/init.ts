import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { isFolder } from '../config/find.ts';
import { PipeError } from '../errors.ts';
import { makeFolders } from '../state/folders.ts';
import { wordFlag } from './args.ts';
import type { Command, Io, Parsed } from './command.ts';
import { firstPipeline, projectFiles, TEMPLATES } from './init-files.ts';
import { install } from './npm.ts';
import { ownPackage } from './own-package.ts';
import { projectRoot } from './places.ts';

export const init: Command = {
  name: 'init',
  summary: 'makes a project with pipelines that run, and installs pipe in it',
  usage: '[DIR]',
  examples: [
    ['npx sqlpipe init bank', 'a new folder with both example pipelines'],
    ['pipe init', 'the same in this folder; files that are there stay as they are'],
    ['pipe init bank --template blank', 'one small pipeline to begin with'],
  ],
  flags: [
    { name: 'template', value: TEMPLATES.join('|'), summary: 'one pipeline instead of balances and fraud' },
    { name: 'no-install', value: 'boolean', summary: 'no npm install; the last line says when it is due' },
  ],
  notes: ['Never overwrites a file. On stdout: what was made and what was kept.'],
  run,
};

/** What became of a file: `alike` was there with the same bytes, `kept` with others. */
type Outcome = 'made' | 'alike' | 'kept';

async function run(p: Parsed, io: Io): Promise<number> {
  const dir = folder(p, io);
  const text = p.text('template');
  const template = text === undefined ? null : wordFlag('--template', text, TEMPLATES);
  const files = [...projectFiles(dir, template)].map(([file, bytes]) => ({ file, outcome: put(join(dir, file), bytes) }));
  const shown = relative(io.cwd, dir);
  if (!p.has('json') && !p.has('quiet')) for (const { file, outcome } of files) io.out.write(`${line(join(shown, file), outcome)}\n`);
  const warnings = notes(dir, files.filter(f => f.outcome === 'kept').map(f => f.file));
  const depends = isDependency(dir);
  const problem = p.has('no-install') || !depends ? null : await install(p, io, dir);
  if (problem !== null) warnings.push(problem);
  const installed = depends && !p.has('no-install') && problem === null;
  const next = [...(shown === '' ? [] : [`cd ${shellWord(shown)}`]), ...(installed ? [] : [depends ? 'npm install' : `npm install ${ownPackage().name}`]), `npx pipe run ${firstPipeline(template)} --until-end`].join(' && ');
  if (p.has('json')) {
    io.out.write(`${JSON.stringify({ v: 1, dir, files, installed, warnings, next })}\n`);
    return 0;
  }
  for (const w of warnings) io.err.write(`warning: ${w}\n`);
  if (!p.has('quiet')) io.out.write(`next: ${next}\n`);
  return 0;
}

/** Absolute. Throws user.usage.bad_value for what is no folder, and where a project is above that was hardly meant to hold another one. */
function folder(p: Parsed, io: Io): string {
  const [given, more] = p.args;
  if (more !== undefined) throw new PipeError('user.usage.bad_value', `pipe init takes one folder, not also "${more}"`, { hint: 'see: pipe init --help' });
  if (given === '') throw new PipeError('user.usage.bad_value', 'pipe init takes the name of a folder, not ""');
  const dir = resolve(io.cwd, given ?? '.');
  if (existsSync(dir) && !isFolder(dir)) throw new PipeError('user.usage.bad_value', `${given} is a file, not a folder`);
  const root = projectRoot(dir);
  if (given === undefined && root !== dir) {
    throw new PipeError('user.usage.bad_value', `this folder lies in the project ${root}`, { hint: `pipe init ${shellWord(relative(io.cwd, root))} adds what is missing there; pipe init . makes a project of its own here` });
  }
  return dir;
}

/** Writes a file that is not there. Throws system.resource.disk. */
function put(path: string, bytes: Buffer): Outcome {
  try {
    if (isThere(path)) return isAlike(path, bytes) ? 'alike' : 'kept';
    makeFolders(dirname(path), 0o777);
    writeFileSync(path, bytes, { flag: 'wx' });
    return 'made';
  } catch (cause) {
    throw new PipeError('system.resource.disk', `${path} cannot be written: ${(cause as Error).message}`, { cause, hint: 'make room, or give a folder that you may write' });
  }
}

/** Also a link that leads nowhere. */
const isThere = (path: string): boolean => existsSync(path) || (existsSync(dirname(path)) && lstatSync(path, { throwIfNoEntry: false }) !== undefined);

function isAlike(path: string, bytes: Buffer): boolean {
  try {
    return readFileSync(path).equals(bytes);
  } catch {
    return false;
  }
}

const WORDS: Readonly<Record<Outcome, string>> = { made: 'made', alike: 'same', kept: 'kept' };
const line = (file: string, outcome: Outcome): string => `${WORDS[outcome].padEnd(4)}  ${file}${outcome === 'kept' ? ' (yours, not the one of the template)' : ''}`;

/** What a kept file leaves undone. */
function notes(dir: string, kept: readonly string[]): string[] {
  const found: string[] = [];
  if (kept.includes('package.json') && !isDependency(dir)) found.push(`package.json does not name ${ownPackage().name}: npm install ${ownPackage().name} in ${dir} adds it`);
  const ignored = kept.includes('.gitignore') ? readFileSync(join(dir, '.gitignore'), 'utf8').split(/\r?\n/).map(l => l.trim().replace(/^\/|\/$/g, '')) : null;
  const open = ignored === null ? [] : ['node_modules', '.pipe', '.env'].filter(name => !ignored.includes(name));
  if (open.length > 0) found.push(`.gitignore does not name ${open.join(', ')}: ${open.includes('.env') ? 'secrets in .env' : 'files of this machine'} could be committed`);
  const above = projectRoot(dirname(dir));
  if (isFolder(join(above, 'pipelines'))) found.push(`${dir} lies in the project ${above}: commands see the pipelines and data of the nearest one`);
  return found;
}

/** Whether npm install there brings pipe. */
function isDependency(dir: string): boolean {
  try {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Readonly<Record<'dependencies' | 'devDependencies', Readonly<Record<string, string>> | undefined>>;
    return [dependencies, devDependencies].some(d => d?.[ownPackage().name] !== undefined);
  } catch {
    return false;
  }
}

/** As it is typed. */
const shellWord = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
