import { codes, type Code } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import { InputCheck } from './check-input.ts';
import { valueSpan, type Reader } from './reader.ts';
import { show } from './shape.ts';
import type { ExpectedRows, SourceSpec, TestExpect, TestRow, TestSend, TestSpec, TestStep } from './spec.ts';
import { testJson, testValue } from './test-value.ts';
import { entry, type Entry, type MapNode, type Node } from './tree.ts';
import { instant } from './values.ts';

/** What the tests of a pipeline may name. */
export interface TestNames {
  /** Sources whose columns are known. */
  readonly known: readonly SourceSpec[];
  /** null: not known, because of what is wrong with the pipeline. */
  readonly sources: readonly string[] | null;
  readonly sinks: readonly string[] | null;
}

/** The examples of a pipeline; they name its sources and sinks. Records are checked here, rows when the output of each sink is known. */
export function readTests(r: Reader, node: Node | undefined, names: TestNames): TestSpec[] {
  if (node?.k !== 'list') return [];
  const reader = new TestReader(r, names);
  const seen = new Set<string>();
  return node.items.flatMap(item => {
    const test = item.k === 'map' ? reader.test(item) : null;
    if (test === null) return [];
    if (seen.has(test.name)) r.problem('user.config.duplicate', `test "${test.name}" stands here a second time`, { span: test.nameSpan });
    seen.add(test.name);
    return [test];
  });
}

const CHECKS = ['expect', 'expect_dead_letters', 'expect_late'] as const;
/** What a step is about. */
const VERBS = ['send', 'advance', 'idle'] as const;
/** Keys that say more about one of them. */
const MORE: Readonly<Record<string, readonly (typeof VERBS)[number][]>> = { rows: ['send'], text: ['send'], key: ['send'], headers: ['send'], time: ['send'], partition: ['send', 'idle'] };

class TestReader {
  readonly #r: Reader;
  readonly #names: TestNames;
  readonly #checks: ReadonlyMap<string, InputCheck>;

  constructor(r: Reader, names: TestNames) {
    this.#r = r;
    this.#names = names;
    this.#checks = new Map(names.known.map(s => [s.name, new InputCheck(r, s)]));
  }

  test(item: MapNode): TestSpec | null {
    const name = this.#r.scalar(item, 'name');
    const list = entry(item, 'steps')?.value;
    const input = this.#input(entry(item, 'input')?.value);
    const steps = list?.k === 'list' ? list.items.flatMap(s => this.#step(s) ?? []) : [];
    const expect = this.#expect(item);
    const error = this.#code(entry(item, 'expect_error'));
    if (name === undefined) return null;
    const missing = (key: string, hint: string): void => this.#r.problem('user.config.missing_key', `test "${name.text}" has no "${key}"`, { span: name.span, hint });
    if (![...CHECKS, 'expect_error'].some(c => entry(item, c) !== undefined) && !steps.some(s => s.k === 'expect')) missing('expect', 'expect: final rows by sink; or expect_dead_letters, expect_late, expect_error');
    else if (entry(item, 'input') === undefined && list === undefined && error === null && entry(item, 'expect_error') === undefined) missing('input', 'input: records by source, in order; or steps');
    const partitions = entry(item, 'partitions')?.value;
    const given = partitions?.k === 'scalar' && typeof partitions.value === 'number' ? partitions.value : 1;
    return {
      name: name.text, nameSpan: name.span, input, steps, expect, error,
      ordered: isTrue(entry(item, 'ordered')?.value), now: this.#instant(entry(item, 'now')),
      partitions: Math.max(given, ...steps.map(s => ('partition' in s && s.partition !== null ? s.partition + 1 : 1))),
    };
  }

  #input(node: Node | undefined): TestSend[] {
    return entries(node).flatMap(e => {
      this.#name('source', e.key, e.keySpan, this.#names.sources);
      return [{ k: 'send' as const, source: e.key, values: this.#records(e.key, e.value), key: null, partition: null, headers: {}, time: null }];
    });
  }

  #step(node: Node): TestStep | null {
    if (node.k === 'scalar') return node.value === 'restart' ? { k: 'restart' } : null;
    if (node.k !== 'map') return null;
    const verbs = VERBS.filter(v => entry(node, v) !== undefined);
    const expects = CHECKS.some(c => entry(node, c) !== undefined);
    const first = node.entries[0];
    const problem = (message: string, e: Entry | undefined, hint: string): null => {
      this.#r.problem('user.config.bad_value', message, { span: e?.keySpan ?? node.span, hint });
      return null;
    };
    if (verbs.length + (expects ? 1 : 0) > 1) return problem('a step does one thing', node.entries.find(e => e !== first && ([...VERBS, ...CHECKS] as string[]).includes(e.key)), 'write it as a step of its own: begin it with "- "');
    const verb = verbs[0];
    for (const e of node.entries) {
      const of = MORE[e.key];
      if (of !== undefined && (verb === undefined || !of.includes(verb))) return problem(`"${e.key}" goes with ${of.map(v => `"${v}"`).join(' or ')}`, e, `write it beside "${of[0]}"`);
    }
    switch (verb) {
      case 'send': return this.#send(node);
      case 'advance': return { k: 'advance', ms: this.#r.duration(node, 'advance', 0, 1) };
      case 'idle': {
        const source = this.#named(node, 'idle');
        const spec = this.#names.known.find(s => s.name === source);
        if (spec !== undefined && spec.eventTime === null) return problem(`source "${spec.name}" has no event time, so it never becomes idle`, entry(node, 'idle'), 'leave the step out');
        return source === null ? null : { k: 'idle', source, partition: this.#partition(node) };
      }
      default: return expects ? { k: 'expect', expect: this.#expect(node) } : null;
    }
  }

  #send(node: MapNode): TestSend | null {
    const source = this.#named(node, 'send');
    const [rows, text] = [entry(node, 'rows'), entry(node, 'text')];
    if ((rows === undefined) === (text === undefined)) {
      const both = rows !== undefined;
      this.#r.problem(both ? 'user.config.bad_value' : 'user.config.missing_key', both ? 'a step has "rows" or "text", not both' : 'this step sends nothing', { span: (text ?? entry(node, 'send') as Entry).keySpan, hint: 'rows: records as JSON; text: records as they are' });
    }
    const values = rows !== undefined ? this.#records(source ?? '', rows.value) : items(text?.value).map(n => (n.k === 'scalar' && n.value !== null ? n.text : null));
    const key = entry(node, 'key')?.value;
    return source === null ? null : {
      k: 'send', source, values, partition: this.#partition(node), key: key?.k === 'scalar' && key.value !== null ? key.text : null,
      headers: Object.fromEntries(entries(entry(node, 'headers')?.value).flatMap(e => (e.value.k === 'scalar' ? [[e.key, e.value.text] as const] : []))), time: this.#instant(entry(node, 'time')),
    };
  }

  #records(source: string, node: Node): string[] {
    const check = this.#checks.get(source);
    return mapsOf(node).map(record => {
      check?.record(record);
      return testJson(testValue(record));
    });
  }

  #expect(node: MapNode): TestExpect {
    const rows = new Map<string, ExpectedRows>();
    for (const e of entries(entry(node, 'expect')?.value)) {
      this.#name('sink', e.key, e.keySpan, this.#names.sinks);
      rows.set(e.key, { rows: mapsOf(e.value).map(n => ({ value: testValue(n) as TestRow['value'], node: n })), node: e.value, nameSpan: e.keySpan });
    }
    const letters = entry(node, 'expect_dead_letters');
    const late = entry(node, 'expect_late');
    const counts = new Map(entries(letters?.value).map(e => [e.key, numberOf(e.value)]));
    for (const e of entries(letters?.value)) {
      if (e.key === 'user.data.late') this.#r.problem('user.config.bad_value', 'late rows are not counted here', { span: e.keySpan, hint: 'write expect_late' });
      else this.#known(e.key, e.keySpan, codes.filter(c => c.startsWith('user.data.')));
    }
    return {
      rows, deadLetters: letters === undefined ? null : { counts, span: letters.keySpan },
      late: late === undefined ? null : { n: numberOf(late.value), span: late.keySpan },
    };
  }

  /** A name of a source, checked. */
  #named(node: MapNode, key: string): string | null {
    const name = this.#r.scalar(node, key);
    if (name === undefined) return null;
    this.#name('source', name.text, name.span, this.#names.sources);
    return name.text;
  }

  #name(kind: 'source' | 'sink', name: string, span: Entry['keySpan'], names: readonly string[] | null): void {
    if (names === null || names.includes(name)) return;
    this.#r.problem('user.config.unknown_name', `there is no ${kind} "${name}"`, { span, label: `no such ${kind}`, hint: didYouMean(name, names) ?? `${kind}s: ${names.join(', ')}` });
  }

  #code(e: Entry | undefined): TestSpec['error'] {
    if (e?.value.k !== 'scalar' || typeof e.value.value !== 'string') return null;
    this.#known(e.value.text, e.value.span, codes);
    return { code: e.value.text as Code, span: e.value.span };
  }

  #known(code: string, span: Entry['keySpan'], all: readonly string[]): void {
    if (!all.includes(code)) this.#r.problem('user.config.bad_value', `there is no code "${code}"`, { span, label: 'no such code', hint: didYouMean(code, all) ?? `codes: ${all.join(', ')}` });
  }

  #partition(node: MapNode): number | null {
    const value = entry(node, 'partition')?.value;
    return value?.k === 'scalar' && typeof value.value === 'number' ? value.value : null;
  }

  /** Epoch ms. */
  #instant(e: Entry | undefined): number | null {
    if (e?.value.k !== 'scalar' || typeof e.value.value !== 'string') return null;
    const ms = instant(e.value.text);
    if (ms === undefined) this.#r.problem('user.config.bad_value', `"${e.key}" takes a time such as 2024-01-01T12:00:00Z, not ${show(e.value)}`, { span: valueSpan(e) });
    return ms ?? null;
  }
}

const items = (node: Node | undefined): readonly Node[] => (node?.k === 'list' ? node.items : []);
const entries = (node: Node | undefined): readonly Entry[] => (node?.k === 'map' ? node.entries : []);
const mapsOf = (node: Node): MapNode[] => items(node).filter(n => n.k === 'map');
const numberOf = (node: Node): number => (node.k === 'scalar' && typeof node.value === 'number' ? node.value : 0);
const isTrue = (node: Node | undefined): boolean => node?.k === 'scalar' && node.value === true;
