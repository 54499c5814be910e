import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PipeError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import { pipelineSchema, type JsonSchema } from './schema.ts';
import type { Node, ScalarNode } from './tree.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** ${NAME}, ${NAME:-default}. */
export const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}/g;
const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=[ \t]*/;
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/** Variables of a `.env` file: NAME=value lines, `export` and quotes allowed, # comments. Other lines are passed over. */
export function parseEnv(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.replace(/^\ufeff/, '').split(/\r?\n/)) {
    const m = ASSIGNMENT.exec(line);
    if (m !== null) values.set(m[1] as string, envValue(line.slice(m[0].length)));
  }
  return values;
}

/** In "" a backslash escapes; a comment after an unquoted value begins with a blank and #. */
function envValue(rest: string): string {
  const double = /^"((?:[^"\\]|\\.)*)"/.exec(rest);
  if (double !== null) return (double[1] as string).replace(/\\(.)/g, (_, c: string) => ESCAPED[c] ?? c);
  const single = /^'([^']*)'/.exec(rest);
  if (single !== null) return single[1] as string;
  const comment = rest.startsWith('#') ? 0 : rest.search(/\s#/);
  return (comment < 0 ? rest : rest.slice(0, comment)).trim();
}

function readEnvFile(file: string): Map<string, string> {
  try {
    return parseEnv(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new PipeError('user.config.file_missing', `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`, { cause: error });
  }
}

/** A place where variables are set. */
interface Layer {
  /** 'the environment', or the path of a `.env`. */
  readonly name: string;
  get(variable: string): string | undefined;
}

/** The `.env` files that are there, in the order in which they are asked. */
function envFiles(dir: string, root: string): { readonly file: string; readonly values: ReadonlyMap<string, string> }[] {
  const files = [...new Set([dir, root])].map(d => join(d, '.env')).filter(f => statSync(f, { throwIfNoEntry: false })?.isFile());
  return files.map(file => ({ file, values: readEnvFile(file) }));
}

function layers(env: Env, dir: string, root: string): Layer[] {
  return [{ name: 'the environment', get: v => env[v] }, ...envFiles(dir, root).map(({ file, values }): Layer => ({ name: file, get: v => values.get(v) }))];
}

/** The environment, then `.env` beside the pipeline, then `.env` of the root. Throws PipeError user.config.file_missing for a `.env` that cannot be read. */
export function environment(env: Env, dir: string, root: string): (name: string) => string | undefined {
  const all = layers(env, dir, root);
  return name => all.find(l => l.get(name) !== undefined)?.get(name);
}

/** What `environment` looks in, as it is now: with it as the environment, files that change later mean nothing. */
export function wholeEnvironment(env: Env, dir: string, root: string): Env {
  const known = envFiles(dir, root).reverse().flatMap(({ values }) => [...values]);
  return { ...Object.fromEntries(known), ...env };
}

/** Where a variable is set that has a value: 'the environment', or the path of a `.env`; null for nowhere. Throws as environment(). */
export function variableOrigin(env: Env, dir: string, root: string): (name: string) => string | null {
  const all = layers(env, dir, root);
  return name => all.find(l => l.get(name) !== undefined)?.name ?? null;
}

/**
 * The tree with ${VAR} and ${VAR:-default} replaced in scalar values, but not in SQL. A value becomes a number or true/false
 * where the schema wants that and takes no text; in {..} YAML wants "${VAR}" in quotes. A variable that is not set is a problem at its place.
 */
export function substitute(root: Node, lookup: (name: string) => string | undefined, known: readonly string[], problems: PipeError[]): Node {
  const visit = (node: Node, path: readonly string[]): Node => {
    if (isSql(path)) return node;
    if (node.k === 'map') return { ...node, entries: node.entries.map(e => ({ ...e, value: visit(e.value, [...path, e.key]) })) };
    if (node.k === 'list') return { ...node, items: node.items.map((n, i) => visit(n, [...path, String(i)])) };
    if (typeof node.value !== 'string' || !node.value.includes('${')) return node;
    const text = replace(node, node.value, lookup, known, problems);
    return { ...node, text, value: typed(text, wanted(path)), fromEnv: true };
  };
  return visit(root, []);
}

const isSql = (path: readonly string[]): boolean => (path[0] === 'steps' && path.length > 0) || (path[0] === 'sinks' && path.length === 3 && path[2] === 'sql');

function replace(node: ScalarNode, text: string, lookup: (name: string) => string | undefined, known: readonly string[], problems: PipeError[]): string {
  const { source, start, end } = node.span;
  let from = start;
  /** Where a piece of the value stands in the file. */
  const place = (piece: string): { source: typeof source; start: number; end: number } => {
    const at = source.text.indexOf(piece, from);
    if (at < 0 || at >= end) return { source, start, end: Math.min(end, start + piece.length) };
    from = at + piece.length;
    return { source, start: at, end: from };
  };
  const result = text.replace(VARIABLE, (whole, name: string, hasDefault: string | undefined, fallback: string | undefined) => {
    const span = place(whole);
    const value = lookup(name);
    if (hasDefault !== undefined) return value === undefined || value === '' ? (fallback ?? '') : value;
    if (value !== undefined) return value;
    const near = didYouMean(name, known);
    problems.push(new PipeError('user.config.unset_variable', `variable ${name} is not set`, { span, label: 'not set', hint: near ?? `set it, put ${name}=... into .env beside the file, or write \${${name}:-default}` }));
    return '';
  });
  for (const m of text.replace(VARIABLE, w => ' '.repeat(w.length)).matchAll(/\$\{[^}]*\}?/g)) {
    problems.push(new PipeError('user.config.bad_value', 'this is no variable', { span: place(m[0]), hint: 'write ${NAME} or ${NAME:-default}' }));
  }
  return result;
}

function typed(text: string, schema: readonly JsonSchema[]): string | number | boolean {
  if (schema.length === 0 || schema.some(s => s.type === 'string')) return text;
  if (/^-?\d{1,15}$/.test(text) && schema.some(s => s.type === 'integer' || s.type === 'number')) return Number(text);
  if ((text === 'true' || text === 'false') && schema.some(s => s.type === 'boolean' || s.const !== undefined)) return text === 'true';
  return text;
}

/** Schemas that a value at this path can have, unions taken apart. */
function wanted(path: readonly string[]): readonly JsonSchema[] {
  let at: readonly JsonSchema[] = [pipelineSchema];
  const open = (s: JsonSchema): readonly JsonSchema[] => {
    if (s.$ref !== undefined) return open(pipelineSchema.definitions?.[s.$ref.slice('#/definitions/'.length)] ?? {});
    return s.anyOf === undefined ? [s] : s.anyOf.flatMap(open);
  };
  for (const part of path) {
    at = at.flatMap(s => {
      const own = Object.hasOwn(s.properties ?? {}, part) ? s.properties?.[part] : undefined;
      const next = own ?? (typeof s.additionalProperties === 'object' ? s.additionalProperties : s.items);
      return next === undefined ? [] : open(next);
    });
  }
  return at;
}
