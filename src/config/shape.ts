import { PipeError, type Code, type Span } from '../errors.ts';
import { findFormat } from '../formats/index.ts';
import { closest, didYouMean } from '../suggest.ts';
import { validate } from './pipeline-validator.ts';
import { pipelineSchema, type JsonSchema } from './schema.ts';
import { entry, type Node } from './tree.ts';
import { DURATION, PERCENT, SIZE } from './values.ts';

/** One complaint of the validator. */
interface Complaint {
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly keyword: string;
  readonly params: { readonly additionalProperty?: string; readonly missingProperty?: string; readonly passingSchemas?: readonly number[] | null };
}

/** A kind of file: its schema and what ajv made of it. */
export interface Shape {
  readonly schema: JsonSchema;
  readonly validate: unknown;
  /** How messages call the whole of it. */
  readonly name: string;
  /** Said to a file that is a list or a text. */
  readonly example: string;
}

/** Everything in which the file differs from the JSON Schema, each at its place. */
export function shapeProblems(root: Node, shape: Shape = PIPELINE): PipeError[] {
  const check = shape.validate as { (value: unknown): boolean; errors?: readonly Complaint[] | null };
  if (check(plainValue(root))) return [];
  const complaints = settleUnions(check.errors ?? []).filter(c => !isRepeated(root, c));
  const meant = new Set(complaints.flatMap(c => meantKey(c, shape) ?? []));
  return complaints.filter(c => !missingKeys(c).some(key => meant.has(key))).map(c => problem(root, c, shape));
}

/** The key, by its path, that a misspelt one was meant to be: it is not missing too. */
function meantKey(c: Complaint, shape: Shape): string | undefined {
  if (c.keyword !== 'additionalProperties') return undefined;
  const near = closest(c.params.additionalProperty as string, Object.keys(schemaAt(c.schemaPath, shape).properties ?? {}));
  return near === undefined ? undefined : `${c.instancePath}/${near}`;
}

function missingKeys(c: Complaint): string[] {
  const keys = c.keyword === 'required' ? [c.params.missingProperty as string] : c.keyword === 'oneOf' && c.params.passingSchemas == null ? ['sql', 'from'] : [];
  return keys.map(key => `${c.instancePath}/${key}`);
}

/** What another problem says already: a sink that is no map, the rest of a DECIMAL(12,2) in {..}. */
function isRepeated(root: Node, c: Complaint): boolean {
  const { node, path } = find(root, c.instancePath);
  if (c.keyword === 'oneOf') return node.k !== 'map';
  return path.length === 4 && path[2] === 'schema' && (path[3] as string).endsWith(')') && node.k === 'scalar' && node.value === null;
}

/** Maps without a prototype, so that a key such as __proto__ is a key. */
export function plainValue(node: Node): unknown {
  if (node.k === 'list') return node.items.map(plainValue);
  if (node.k === 'scalar') return node.value;
  const map: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const e of node.entries) map[e.key] = plainValue(e.value);
  return map;
}

/** A value that fits no branch of a union gives one problem: that of the branch whose kind it has, else that of the union. */
function settleUnions(complaints: readonly Complaint[]): Complaint[] {
  let left: Complaint[] = [];
  for (const c of complaints) {
    if (c.keyword === 'oneOf' || c.keyword === 'anyOf') {
      const inside = left.filter(x => x.schemaPath.startsWith(`${c.schemaPath}/`) && isUnder(x.instancePath, c.instancePath));
      left = left.filter(x => !inside.includes(x));
      const wrongKind = new Set(inside.filter(x => x.instancePath === c.instancePath && ['type', 'enum', 'const'].includes(x.keyword)).map(x => branch(x, c)));
      const near = c.keyword === 'anyOf' ? inside.filter(x => !wrongKind.has(branch(x, c))) : [];
      left.push(...(near.length > 0 ? near : [c]));
    } else {
      left.push(c);
    }
  }
  return left;
}

const isUnder = (path: string, above: string): boolean => path === above || path.startsWith(`${above}/`);
const branch = (inner: Complaint, union: Complaint): string => inner.schemaPath.slice(union.schemaPath.length + 1).split('/')[0] as string;

const decode = (pointer: string): string[] => pointer.split('/').slice(1).map(p => p.replaceAll('~1', '/').replaceAll('~0', '~'));

/** The schema that holds the keyword which failed. */
function schemaAt(schemaPath: string, shape: Shape): JsonSchema {
  let at: unknown = shape.schema;
  for (const part of decode(decodeURIComponent(schemaPath.replace(/^[^#]*#/, ''))).slice(0, -1)) at = (at as Record<string, unknown>)[part];
  return at as JsonSchema;
}

interface Place {
  readonly node: Node;
  /** The key's place for a map entry, the value's for an item. */
  readonly owner: Span;
  /** How to name it: "delay", source "transactions". */
  readonly name: string;
  readonly path: readonly string[];
}

function find(root: Node, pointer: string, whole = ''): Place {
  const path = decode(pointer);
  let node = root;
  let owner: Span = { ...root.span, end: Math.min(root.span.end, root.span.start + 1) };
  for (const part of path) {
    const e = entry(node, part);
    const next = e?.value ?? (node.k === 'list' ? (node.items[Number(part)] as Node) : node);
    owner = e?.keySpan ?? next.span;
    node = next;
  }
  return { node, owner, name: nameOf(path, whole), path };
}

const KINDS: Readonly<Record<string, string>> = { sources: 'source', sinks: 'sink', steps: 'step' };

function nameOf(path: readonly string[], whole: string): string {
  const last = path.at(-1);
  if (last === undefined) return whole;
  const kind = path.length === 2 ? KINDS[path[0] as string] : undefined;
  if (kind !== undefined) return `${kind} "${last}"`;
  return /^\d+$/.test(last) ? `item ${Number(last) + 1} of "${path.at(-2)}"` : `"${last}"`;
}

function problem(root: Node, c: Complaint, shape: Shape): PipeError {
  const place = find(root, c.instancePath, shape.name);
  const schema = schemaAt(c.schemaPath, shape);
  if (c.keyword === 'additionalProperties') return unknownKey(place, schema, c.params.additionalProperty as string);
  if (c.keyword === 'required') return missingKey(place, schema, c.params.missingProperty as string, shape);
  if (c.keyword === 'oneOf') return sqlOrFrom(place, c.params.passingSchemas != null);
  return badValue(place, schema, c.keyword, shape);
}

function unknownKey(place: Place, schema: JsonSchema, key: string): PipeError {
  const keys = Object.keys(schema.properties ?? {});
  const kind = place.path.length === 2 ? KINDS[place.path[0] as string] : undefined;
  return new PipeError('user.config.unknown_key', `unknown key "${key}"`, {
    span: entry(place.node, key)?.keySpan ?? place.owner,
    label: `not a key of ${kind === undefined ? place.name.replaceAll('"', '') : `a ${kind}`}`,
    hint: didYouMean(key, keys) ?? `keys: ${keys.join(', ')}`,
  });
}

function missingKey(place: Place, schema: JsonSchema, key: string, shape: Shape): PipeError {
  const what = schema.properties?.[key];
  const description = (what?.$ref === undefined ? what : shape.schema.definitions?.[what.$ref.slice('#/definitions/'.length)])?.description;
  return new PipeError('user.config.missing_key', `${place.name} has no "${key}"`, { span: place.owner, hint: description === undefined ? undefined : `${key}: ${description}` });
}

function sqlOrFrom(place: Place, both: boolean): PipeError {
  if (both) return new PipeError('user.config.bad_value', `${place.name} has both "sql" and "from"`, { span: entry(place.node, 'from')?.keySpan ?? place.owner, hint: 'keep one of the two' });
  return new PipeError('user.config.missing_key', `${place.name} has no "sql"`, { span: place.owner, hint: 'sql: one SELECT statement, or from: a step or source that is written as it is' });
}

const PATTERNS: Readonly<Record<string, string>> = {
  [DURATION]: 'takes a duration such as 500ms, 10s, 5m, 1h, 1d',
  [SIZE]: 'takes a size such as 64KB, 256MB, 1GB',
  [PERCENT]: 'takes a share such as 5%',
  '\\S': 'must not be empty',
};

const PIPELINE: Shape = {
  schema: pipelineSchema, validate, name: 'a pipeline file',
  example: `a pipeline file looks like this:
    name: large-orders
    sources:
      orders:
        schema: account STRING, amount DECIMAL(12,2)
    sinks:
      large:
        sql: SELECT account, amount FROM orders WHERE amount > 100`,
};

const TYPES: Readonly<Record<string, string>> = { string: 'text', object: 'a map', array: 'a list', integer: 'a whole number', number: 'a number', boolean: 'true or false' };

function badValue(place: Place, schema: JsonSchema, keyword: string, shape: Shape): PipeError {
  const { node, name } = place;
  const code: Code = keyword === 'type' ? 'user.config.bad_type' : 'user.config.bad_value';
  const empty = node.k === 'scalar' && node.value === null;
  const span = empty ? place.owner : firstLine(node.span);
  const fail = (message: string, hint?: string, label?: string): PipeError => new PipeError(code, message, { span, label, hint: hint ?? schema.description });
  if (empty) return fail(`${name} has no value`);
  const format = formatProblem(place, span);
  if (format !== null) return format;
  const shown = show(node);
  switch (keyword) {
    case 'type': {
      const words = schema.pattern === undefined || schema.pattern === '\\S' || node.k !== 'scalar' ? undefined : PATTERNS[schema.pattern];
      if (words !== undefined) return fail(`${name} ${words}, not ${shown}`);
      const quote = schema.type === 'string' && node.k === 'scalar' && node.plain && !node.fromEnv;
      if (place.path.length === 0) return fail(`${name} is a map, not ${shown}`, shape.example);
      return fail(`${name} takes ${TYPES[schema.type as string]}, not ${shown}`, quote && /^\d+$|^(true|false)$/i.test(node.text) ? `put it in quotes: "${node.text}"` : undefined);
    }
    case 'enum': return fail(`${name} is one of ${(schema.enum ?? []).join(', ')}, not ${shown}`, near(node, schema.enum ?? []));
    case 'minimum': return fail(`${name} is at least ${schema.minimum}, not ${shown}`);
    case 'maximum': return fail(`${name} is at most ${schema.maximum}, not ${shown}`);
    case 'minProperties': case 'minItems': return fail(`${name} is empty`);
    case 'pattern': {
      const wanted = PATTERNS[schema.pattern as string];
      return wanted === undefined ? fail(`${name} cannot be ${shown}`) : fail(`${name} ${wanted}${schema.pattern === '\\S' ? '' : `, not ${shown}`}`);
    }
    default: {
      const branches = schema.anyOf ?? [];
      const words = branches.flatMap(b => b.enum ?? []);
      const number = branches.some(b => b.type === 'integer');
      return fail(number ? `${name} takes a whole number or ${words.join(' or ')}, not ${shown}` : `${name} cannot be ${shown}`, near(node, words));
    }
  }
}

const near = (node: Node, words: readonly string[]): string | undefined => {
  const word = node.k === 'scalar' && !node.fromEnv ? closest(node.text, words) : undefined;
  return word === undefined ? undefined : `did you mean "${word}"?`;
};

/** A format that exists and is not supported yet says so. */
function formatProblem(place: Place, span: Span): PipeError | null {
  const { node, path } = place;
  const isFormat = path.at(-1) === 'format' || (path.at(-2) === 'format' && path.at(-1) === 'type');
  if (!isFormat || node.k !== 'scalar' || typeof node.value !== 'string' || node.fromEnv) return null;
  try {
    findFormat(node.value);
    return null;
  } catch (error) {
    return error instanceof PipeError ? new PipeError(error.code, error.message, { span, hint: error.hint }) : null;
  }
}

/** A value for a message; what came from the environment shows as it is written. */
export function show(node: Node): string {
  if (node.k !== 'scalar') return node.k === 'map' ? 'a map' : 'a list';
  const text = node.fromEnv ? node.span.source.text.slice(node.span.start, node.span.end) : node.text;
  const line = (node.fromEnv ? text.replace(/^(["'])(.*)\1$/s, '$2') : text).split('\n')[0] as string;
  return node.plain && !node.fromEnv && typeof node.value !== 'string' ? line : `"${line.length > 40 ? `${line.slice(0, 40)}...` : line}"`;
}

/** Maps and blocks are pointed at by their first line. */
export function firstLine(span: Span): Span {
  const { source, start } = span;
  const stop = source.text.indexOf('\n', start);
  const end = Math.min(span.end, stop < 0 ? source.text.length : stop);
  return { source, start, end: Math.max(end, start) };
}
