import { didYouMean } from '../suggest.ts';
import { InputCheck } from './check-input.ts';
import type { Reader } from './reader.ts';
import type { SourceSpec, TestRow, TestSpec } from './spec.ts';
import { testValue } from './test-value.ts';
import { entry, type MapNode, type Node } from './tree.ts';

/** The examples of a pipeline; they name its sources and sinks. Records are checked here, rows when the output of each sink is known. */
export function readTests(r: Reader, node: Node | undefined, known: readonly SourceSpec[], sources: readonly string[], sinks: readonly string[]): TestSpec[] {
  if (node?.k !== 'list') return [];
  const checks = new Map(known.map(s => [s.name, new InputCheck(r, s)]));
  const seen = new Set<string>();
  return node.items.flatMap(item => {
    const name = r.scalar(item, 'name');
    const input = entry(item, 'input')?.value;
    const expect = entry(item, 'expect')?.value;
    for (const e of input?.k === 'map' ? input.entries : []) for (const record of mapsOf(e.value)) checks.get(e.key)?.record(record);
    const spec = { input: rows(r, input, 'source', sources), expect: rows(r, expect, 'sink', sinks) };
    if (name === undefined) return [];
    if (seen.has(name.text)) r.problem('user.config.duplicate', `test "${name.text}" stands here a second time`, { span: name.span });
    seen.add(name.text);
    return [{ name: name.text, ...spec }];
  });
}

const mapsOf = (node: Node): MapNode[] => (node.k === 'list' ? node.items.filter(n => n.k === 'map') : []);

function rows(r: Reader, node: Node | undefined, kind: string, names: readonly string[]): Record<string, readonly TestRow[]> {
  const found: Record<string, readonly TestRow[]> = Object.create(null) as Record<string, readonly TestRow[]>;
  for (const e of node?.k === 'map' ? node.entries : []) {
    if (!names.includes(e.key)) r.problem('user.config.unknown_name', `there is no ${kind} "${e.key}"`, { span: e.keySpan, label: `no such ${kind}`, hint: didYouMean(e.key, names) ?? `${kind}s: ${names.join(', ')}` });
    found[e.key] = mapsOf(e.value).map(row => ({ value: testValue(row) as TestRow['value'], places: new Map(row.entries.map(f => [f.key, f.keySpan])) }));
  }
  return found;
}
