import { relative } from 'node:path';
import { environment, substitute, variableOrigin, VARIABLE, type Env } from './environment.ts';
import type { PipelineSpec } from './spec.ts';
import { entry, parseYaml, type Node } from './tree.ts';
import type { Leaf, Origin } from './write-yaml.ts';

const MASK = '***';
const DEFAULT: Origin = { from: 'default', detail: 'default' };

/** A value that may be a secret: always, when it comes from a variable, or never (it is a name that runs show, or one of a few words). */
export type Secrecy = 'always' | 'variable' | 'never';

/** Credentials of addresses in a text: https://user:word@host. */
const withoutCredentials = (text: string): string => text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s'"]*@/gi, `$1${MASK}@`);

/** Knows of each value of a pipeline file where it comes from, and whether it may be shown. */
export class Origins {
  readonly #raw: Node;
  readonly #tree: Node;
  readonly #root: string;
  readonly #setIn: (name: string) => string | null;

  constructor(spec: PipelineSpec, env: Env, root: string) {
    this.#raw = parseYaml(spec.file).root as Node;
    this.#tree = substitute(this.#raw, environment(env, spec.dir, root), [], []);
    this.#root = root;
    this.#setIn = variableOrigin(env, spec.dir, root);
  }

  /** With variables replaced. */
  node(path: readonly string[]): Node | undefined { return find(this.#tree, path); }

  has(path: readonly string[]): boolean { return this.node(path) !== undefined; }

  /** A value in force that the file may have given at `path`, in this or another form. */
  leaf(value: Leaf['value'], path: readonly string[], secrecy: Secrecy = 'never', digits?: string): Leaf {
    const origin = this.#origin(path);
    const hidden = secrecy === 'always' ? origin.from !== 'default' : secrecy === 'variable' && origin.from === 'variable';
    if (hidden) return { k: 'leaf', value: MASK, origin };
    return { k: 'leaf', value: typeof value === 'string' ? withoutCredentials(value) : value, origin, ...(digits === undefined ? {} : { digits }) };
  }

  #origin(path: readonly string[]): Origin {
    const node = find(this.#raw, path);
    if (node === undefined) return DEFAULT;
    const line = `line ${node.span.source.position(node.span.start).line}`;
    const text = node.k === 'scalar' && typeof node.value === 'string' && !isSql(path) ? node.value : '';
    const names = [...new Map([...text.matchAll(VARIABLE)].map(m => [m[1] as string, m[2] !== undefined] as const))];
    if (names.length === 0) return { from: 'file', detail: line };
    return { from: 'variable', detail: names.map(([name, hasDefault]) => `\${${name}} ${this.#place(name, hasDefault)}`).join(', ') };
  }

  #place(name: string, hasDefault: boolean): string {
    const place = this.#setIn(name);
    if (place === null) return hasDefault ? 'by its default in the file' : 'not set';
    return `of ${place.endsWith('.env') ? relative(this.#root, place) : place}`;
  }
}

/** SQL has no variables. */
const isSql = (path: readonly string[]): boolean => path[0] === 'steps' || path.at(-1) === 'sql';

function find(root: Node, path: readonly string[]): Node | undefined {
  let at: Node | undefined = root;
  for (const part of path) at = at?.k === 'list' ? at.items[Number(part)] : entry(at, part)?.value;
  return at;
}
