import { didYouMean } from '../suggest.ts';
import type { Reader } from './reader.ts';
import type { TestSpec } from './spec.ts';
import { entry, type Node } from './tree.ts';

/** A number of a test as it is written, so that 7500.00 and 7500 differ. */
export class NumberText {
  readonly text: string;
  constructor(text: string) { this.text = text; }
}

/** The examples of a pipeline; they name its sources and sinks. */
export function readTests(r: Reader, node: Node | undefined, sources: readonly string[], sinks: readonly string[]): TestSpec[] {
  if (node?.k !== 'list') return [];
  const seen = new Set<string>();
  return node.items.flatMap(item => {
    const name = r.scalar(item, 'name');
    if (name === undefined) return [];
    if (seen.has(name.text)) r.problem('user.config.duplicate', `test "${name.text}" stands here a second time`, { span: name.span });
    seen.add(name.text);
    return [{ name: name.text, input: rows(r, entry(item, 'input')?.value, 'source', sources), expect: rows(r, entry(item, 'expect')?.value, 'sink', sinks) }];
  });
}

function rows(r: Reader, node: Node | undefined, kind: string, names: readonly string[]): Record<string, readonly unknown[]> {
  const found: Record<string, readonly unknown[]> = Object.create(null) as Record<string, readonly unknown[]>;
  for (const e of node?.k === 'map' ? node.entries : []) {
    if (!names.includes(e.key)) r.problem('user.config.unknown_name', `there is no ${kind} "${e.key}"`, { span: e.keySpan, label: `no such ${kind}`, hint: didYouMean(e.key, names) ?? `${kind}s: ${names.join(', ')}` });
    found[e.key] = e.value.k === 'list' ? e.value.items.map(value) : [];
  }
  return found;
}

function value(node: Node): unknown {
  if (node.k === 'list') return node.items.map(value);
  if (node.k === 'map') return Object.fromEntries(node.entries.map(e => [e.key, value(e.value)]));
  return typeof node.value === 'number' ? new NumberText(node.text) : node.value;
}
