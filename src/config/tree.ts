import { isAlias, isMap, isPair, isScalar, isSeq, parseDocument, type Node as YamlNode, type Pair, type Scalar } from 'yaml';
import { PipeError, type SourceText, type Span } from '../errors.ts';

/** What a pipeline file says, as a tree in which every part knows its place. Anchors are followed, so a part can be reached twice. */
export type Node = MapNode | ListNode | ScalarNode;

export interface MapNode {
  readonly k: 'map';
  readonly entries: readonly Entry[];
  readonly span: Span;
}

export interface Entry {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: Node;
}

export interface ListNode {
  readonly k: 'list';
  readonly items: readonly Node[];
  readonly span: Span;
}

export interface ScalarNode {
  readonly k: 'scalar';
  /** A number is its source text's; whole ones beyond 2^53 are rounded here, `text` has all digits. */
  readonly value: string | number | boolean | null;
  /** Text of a plain scalar as written; of a quoted one or a block its value. */
  readonly text: string;
  readonly plain: boolean;
  /** Some of the value came from the environment, so it may be a secret and is never shown. */
  readonly fromEnv: boolean;
  readonly span: Span;
  /** For SQL: how the value lies in the file. */
  readonly scalar: Scalar;
}

export const entry = (node: Node | undefined, key: string): Entry | undefined => (node?.k === 'map' ? node.entries.find(e => e.key === key) : undefined);

/** Words that YAML, or an older one, takes for something else than text. */
export const NOT_TEXT = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/** Parts that anchors may repeat before the file counts as a bomb. */
const MAX_REPEATED = 10_000;

/** Problems of the YAML itself; an empty list comes with a tree. */
export interface Parsed {
  readonly root: Node | null;
  readonly problems: readonly PipeError[];
}

/** Reads one YAML 1.2 document (core schema, no tags, no merge keys, no stacks of aliases). */
export function parseYaml(source: SourceText): Parsed {
  const document = parseDocument(source.text, { keepSourceTokens: true, prettyErrors: false, strict: true, uniqueKeys: true, version: '1.2', schema: 'core', logLevel: 'error' });
  const problems = [...firstOnly(document.errors), ...document.warnings].map(e => yamlProblem(source, e));
  if (problems.length > 0) return { root: null, problems };
  if (document.contents === null) return { root: null, problems: [new PipeError('user.config.yaml', 'the file is empty', { span: { source, start: 0, end: 0 }, hint: 'a pipeline has name, sources and sinks' })] };
  const builder = new Builder(source);
  const root = builder.node(document.contents);
  return builder.problems.length > 0 ? { root: null, problems: builder.problems } : { root, problems: [] };
}

interface YamlComplaint {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/** After one mistake in the structure the parser stumbles over all that follows. */
function firstOnly<T extends YamlComplaint>(errors: readonly T[]): T[] {
  const own = (e: T): boolean => e.code === 'DUPLICATE_KEY' || e.code === 'TAG_RESOLVE_FAILED';
  const first = errors.find(e => !own(e));
  return errors.filter(e => e === first || (own(e) && (first === undefined || e.pos[0] < first.pos[0])));
}

/** The parser's own words, but for the mistakes that are common. */
function yamlProblem(source: SourceText, e: YamlComplaint): PipeError {
  const [start, end] = [Math.min(e.pos[0], source.text.length), Math.min(e.pos[1], source.text.length)];
  const word = (): string => /^[^\s:,\]}]*/.exec(source.text.slice(start))?.[0] ?? '';
  const at = (s: number, length: number): Span => ({ source, start: s, end: Math.min(source.text.length, s + length) });
  const variable = source.text[start - 1] === '$' ? /^\{[^}\n]*\}?/.exec(source.text.slice(start)) : null;
  if (variable !== null) return new PipeError('user.config.yaml', 'a variable in {..} or [..] stands in quotes', { span: at(start - 1, variable[0].length + 1), hint: `write "$${variable[0]}"` });
  switch (e.code) {
    case 'DUPLICATE_KEY': {
      const key = word();
      return new PipeError('user.config.duplicate', `key ${key === '' ? '' : `"${key.replace(/^["']|["']$/g, '')}" `}stands here a second time`, { span: at(start, Math.max(1, key.length)), hint: 'keep one of the two' });
    }
    case 'TAB_AS_INDENT': return new PipeError('user.config.yaml', 'YAML is indented with blanks, not with tabs', { span: at(start, 1) });
    case 'TAG_RESOLVE_FAILED': return new PipeError('user.config.yaml', 'tags such as !name mean nothing in a pipeline file', { span: at(start, Math.max(1, end - start)) });
    case 'MULTIPLE_DOCS': return new PipeError('user.config.yaml', 'the file holds several documents', { span: at(start, 3), hint: 'write each pipeline to a file of its own' });
    case 'RESOURCE_EXHAUSTION': return new PipeError('user.config.too_large', 'the YAML nests too deep', { span: at(start, 1) });
    case 'BLOCK_AS_IMPLICIT_KEY': return new PipeError('user.config.yaml', 'a second ":" on this line', { span: at(start, Math.max(1, word().length)), hint: 'put a value that holds ": " in quotes' });
    default: {
      const open = /^Flow (?:sequence|map) in .* end with a (.)/.exec(e.message);
      if (open !== null) return new PipeError('user.config.yaml', `"${open[1] === ']' ? '[' : '{'}" is not closed`, { span: at(start, 1), label: `"${open[1]}" is missing`, hint: 'what it holds is indented deeper than its key' });
      return new PipeError('user.config.yaml', lowered(e.message), { span: at(start, Math.max(1, firstLine(source, start, end))) });
    }
  }
}

const lowered = (message: string): string => (message.charAt(0).toLowerCase() + message.slice(1)).split('\n')[0] as string;

/** Length of [start, end) on its first line. */
function firstLine(source: SourceText, start: number, end: number): number {
  const stop = source.text.indexOf('\n', start);
  return (stop < 0 ? end : Math.min(end, stop)) - start;
}

class Builder {
  readonly problems: PipeError[] = [];
  readonly #source: SourceText;
  readonly #open: YamlNode[] = [];
  /** The last node so far with each anchor: to ask the parser takes a walk through the file for each alias. */
  readonly #anchors = new Map<string, YamlNode>();
  #repeating = 0;
  #repeated = 0;

  constructor(source: SourceText) { this.#source = source; }

  node(n: YamlNode | null): Node {
    if (this.#repeating > 0 && ++this.#repeated > MAX_REPEATED) return this.#stop(n);
    if (isAlias(n)) return this.#alias(n.source, n);
    this.#anchor(n);
    if (isMap(n)) return { k: 'map', entries: n.items.flatMap(p => this.#entry(p as Pair<YamlNode, YamlNode | null>)), span: this.#span(n) };
    if (isSeq(n)) return { k: 'list', items: n.items.map(i => this.node((isPair(i) ? i.value : i) as YamlNode)), span: this.#span(n) };
    return this.#scalar(n as Scalar);
  }

  #anchor(n: YamlNode | null): void {
    const { anchor } = (n ?? {}) as { readonly anchor?: string };
    if (anchor !== undefined && this.#repeating === 0) this.#anchors.set(anchor, n as YamlNode);
  }

  #alias(name: string, n: YamlNode): Node {
    const target = this.#anchors.get(name);
    if (target === undefined || this.#open.includes(target)) {
      this.problems.push(new PipeError('user.config.yaml', target === undefined ? 'there is no such anchor' : 'this anchor holds itself', { span: this.#span(n) }));
      return this.#nothing(n);
    }
    this.#open.push(target);
    this.#repeating++;
    const node = this.node(target);
    this.#repeating--;
    this.#open.pop();
    return node;
  }

  #stop(n: YamlNode | null): Node {
    if (this.#repeated === MAX_REPEATED + 1) this.problems.push(new PipeError('user.config.too_large', `anchors repeat more than ${MAX_REPEATED} parts`, { span: this.#span(n) }));
    return this.#nothing(n);
  }

  #entry(p: Pair<YamlNode, YamlNode | null>): Entry[] {
    if (!isScalar(p.key)) {
      this.problems.push(new PipeError('user.config.yaml', 'a key is a word', { span: this.#span(p.key) }));
      return [];
    }
    const key = p.key as Scalar;
    this.#anchor(key);
    const keySpan = this.#span(key);
    // a key such as 1 or true keeps its text
    const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
    const value = p.value === null ? { ...this.#nothing(null), span: keySpan } : this.node(p.value);
    return [{ key: name, keySpan, value }];
  }

  #scalar(n: Scalar): ScalarNode {
    const plain = n.type === 'PLAIN';
    const value = typeof n.value === 'string' || typeof n.value === 'number' || typeof n.value === 'boolean' ? n.value : null;
    return { k: 'scalar', value, text: plain ? (n.source ?? String(n.value)) : String(n.value), plain, fromEnv: false, span: this.#span(n), scalar: n };
  }

  #nothing(n: YamlNode | null): ScalarNode {
    return { k: 'scalar', value: null, text: '', plain: true, fromEnv: false, span: this.#span(n), scalar: { value: null } as Scalar };
  }

  #span(n: YamlNode | null): Span {
    const [start, end] = n?.range ?? [0, 0];
    return { source: this.#source, start, end };
  }
}
