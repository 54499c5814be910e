import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const src = resolve(import.meta.dirname, '../src');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(f => /\.tsx?$/.test(f) && !f.endsWith('.d.ts'));
const text = (f: string): string => readFileSync(join(src, f), 'utf8');

/** Layers from the bottom up. A file imports its own layer and those below; `import type` of the agreed interfaces is free. */
const layers: readonly (readonly string[])[] = [
  ['errors.ts', 'failpoint.ts', 'numbers.ts', 'suggest.ts', 'registry.ts'],
  ['sql'],
  ['plan'],
  ['codegen'],
  ['state'],
  ['engine'],
  ['connectors', 'formats'],
  ['config'],
  ['observe'],
  ['ui', 'dashboard'],
  ['testing'],
  ['cli'],
];
const layerOf = (f: string): number => layers.findIndex(l => l.includes(f.split('/')[0] as string));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const imports: Import[] = files.flatMap(from =>
  [...text(from).matchAll(/^\s*(?:import|export)\s+(type\s)?[^'";]*?from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/gm)].map(m => ({
    from, to: relative(src, resolve(src, dirname(from), (m[2] ?? m[3]) as string)), typeOnly: m[1] !== undefined,
  })),
);

describe('the house', () => {
  it('has every file in a layer', () => {
    expect(files.filter(f => layerOf(f) < 0)).toEqual([]);
  });

  it('imports in one direction', () => {
    const wrong = imports.filter(i => !i.typeOnly && layerOf(i.to) > layerOf(i.from)).map(i => `${i.from} -> ${i.to}`);
    expect(wrong).toEqual([]);
  });

  it('has no import cycle', () => {
    const next = new Map<string, string[]>();
    for (const i of imports) if (!i.typeOnly) next.set(i.from, [...(next.get(i.from) ?? []), i.to]);
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (f: string, path: readonly string[]): void => {
      if (state.get(f) === 'done') return;
      if (state.get(f) === 'open') { cycles.push([...path.slice(path.indexOf(f)), f].join(' -> ')); return; }
      state.set(f, 'open');
      for (const to of next.get(f) ?? []) visit(to, [...path, f]);
      state.set(f, 'done');
    };
    for (const f of files) visit(f, []);
    expect(cycles).toEqual([]);
  });

  it('keeps files short', () => {
    expect(files.filter(f => text(f).split('\n').length > 401)).toEqual([]);
  });

  it('says no any, no ts-ignore, no console, no default export', () => {
    const banned = /:\s*any\b|\bas any\b|<any>|@ts-ignore|@ts-expect-error|\bconsole\.|^export default /m;
    expect(files.filter(f => banned.test(text(f)))).toEqual([]);
  });

  it('makes code from text in one file only', () => {
    expect(files.filter(f => /\bnew Function\(|\beval\(/.test(text(f)))).toEqual(['codegen/writer.ts']);
    expect(files.filter(f => /\bnew RegExp\(/.test(text(f)))).toEqual([]);
  });

  it('touches the process only where a command starts', () => {
    const free = new Set(['cli/main.ts', 'cli/state-process.ts', 'failpoint.ts']);
    expect(files.filter(f => !free.has(f) && /\bprocess\.(exit|stdout|stderr|stdin|argv|env|on|kill)\b/.test(text(f)))).toEqual([]);
  });

  it('exports no value that nobody imports', () => {
    const test = resolve(import.meta.dirname);
    const tests = readdirSync(test, { recursive: true, encoding: 'utf8' }).filter(f => /\.(ts|mjs)$/.test(f)).map(f => readFileSync(join(test, f), 'utf8')).join('\n');
    const unused = files.flatMap(f => [...text(f).matchAll(/^export (?:const|class|(?:async )?function) (\w+)/gm)].flatMap(([, name]) => {
      const word = new RegExp(`\\b${name}\\b`);
      return word.test(tests) || files.some(g => g !== f && word.test(text(g))) ? [] : [`${f}: ${name}`];
    }));
    expect(unused).toEqual([]);
  });

  it('leaves no unfinished marks', () => {
    expect(files.filter(f => /\b(TODO|FIXME|XXX|HACK)\b|not implemented/i.test(text(f)))).toEqual([]);
  });

  it('keeps every third-party package behind its own files', () => {
    const users = (name: string): string[] => files.filter(f => new RegExp(`^import (?!type)[^;]*from '${name}[/']|import\\('${name}[/']|\\)\\('${name}[/']|require\\('${name}[/']`, 'm').test(text(f))).map(f => f.split('/').slice(0, 2).join('/'));
    expect([...new Set(users('node-sql-parser').map(f => f.split('/')[0]))]).toEqual(['sql']);
    expect([...new Set(users('kafkajs'))]).toEqual(['connectors/kafka']);
    expect([...new Set(users('zstddec'))]).toEqual(['connectors/kafka']);
    expect(users('better-sqlite3')).toEqual(['state/database.ts']);
    expect(users('@dagrejs/dagre')).toEqual(['dashboard/layout.ts']);
    expect([...new Set(users('yaml').map(f => f.split('/')[0]))]).toEqual(['config']);
  });
});
