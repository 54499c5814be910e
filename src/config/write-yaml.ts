import { NOT_TEXT } from './tree.ts';

/** A value to be written, with where it comes from. */
export interface Leaf {
  readonly k: 'leaf';
  readonly value: string | number | boolean | null;
  /** A number as it was written: 7500.00. */
  readonly digits?: string;
  readonly origin: Origin;
}

export interface Branch {
  readonly k: 'map' | 'list';
  /** Keys of a list are its numbers. */
  readonly entries: readonly (readonly [key: string, value: Written])[];
}

export type Written = Leaf | Branch;

/** Which of the places that may give a value has given it, in words: 'line 12', '--brokers', 'default'. */
export interface Origin {
  readonly from: 'flag' | 'environment' | 'file' | 'variable' | 'default';
  readonly detail: string;
}

/** YAML 1.2 of a tree; what does not stand in the file itself says where it comes from. */
export const writeYaml = (root: Branch): string => lines(root, '').join('');

function lines(branch: Branch, indent: string): string[] {
  return branch.entries.flatMap(([key, value]) => {
    const head = branch.k === 'list' ? `${indent}-` : `${indent}${scalar(key)}:`;
    if (value.k === 'leaf') return leaf(head, value, indent);
    if (value.entries.length === 0) return [`${head} ${value.k === 'list' ? '[]' : '{}'}\n`];
    const inner = lines(value, `${indent}  `);
    // a map in a list begins behind its dash
    return branch.k === 'list' && value.k === 'map' ? [`${head} ${(inner[0] as string).trimStart()}`, ...inner.slice(1)] : [`${head}\n`, ...inner];
  });
}

function leaf(head: string, { value, digits, origin }: Leaf, indent: string): string[] {
  const comment = origin.from === 'file' ? '' : `  # ${origin.detail}`;
  if (typeof value === 'string' && value.includes('\n') && isBlock(value)) {
    const body = value.replace(/\n$/, '').split('\n').map(l => (l === '' ? '\n' : `${indent}  ${l}\n`));
    return [`${head} |${value.endsWith('\n') ? '' : '-'}${comment}\n`, ...body];
  }
  return [`${head} ${digits ?? (typeof value === 'string' ? scalar(value) : String(value))}${comment}\n`];
}

/** Text that a | block gives back as it is. */
const isBlock = (text: string): boolean => !/^[ \n]|[^\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]| \n|\n\n$/.test(text);

/** Words, types and durations stand as they are; all else in quotes, as JSON. */
function scalar(text: string): string {
  const plain = /^(?:[A-Za-z_][\w.()/, -]*[\w.)/]|[A-Za-z_]|\d+(?:ms|[smhd]|[KMG]B|%))$/.test(text) && !NOT_TEXT.test(text);
  return plain ? text : JSON.stringify(text);
}

/** The same as data. */
export function plainTree(node: Written): unknown {
  if (node.k === 'leaf') return node.value;
  if (node.k === 'list') return node.entries.map(([, v]) => plainTree(v));
  return Object.fromEntries(node.entries.map(([key, v]) => [key, plainTree(v)]));
}
