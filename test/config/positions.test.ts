import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SourceText } from '../../src/errors.ts';
import { sqlText } from '../../src/config/sql-text.ts';
import { entry, parseYaml, type ScalarNode } from '../../src/config/tree.ts';

function scalar(file: string): ScalarNode {
  const { root, problems } = parseYaml(new SourceText('f', file));
  expect(problems.map(p => p.message)).toEqual([]);
  return entry(entry(root ?? undefined, 'a')?.value, 'sql')?.value as ScalarNode;
}

/** Every word of the SQL must be found where its span says. */
function check(file: string): void {
  const node = scalar(file);
  const sql = sqlText(node);
  let words = 0;
  for (const m of sql.text.matchAll(/\w+/g)) {
    const span = sql.span(m.index, m.index + m[0].length);
    expect(file.slice(span.start, span.end)).toBe(m[0]);
    // words are numbered, so a wrong place shows
    expect(file.indexOf(m[0])).toBe(span.start);
    words++;
  }
  expect(words).toBeGreaterThan(0);
}

/** Lines of words that occur once in the file. */
const lines = fc.array(fc.record({ indent: fc.integer({ min: 0, max: 4 }), words: fc.integer({ min: 0, max: 4 }), tail: fc.constantFrom('', ' ', '\t', ' # x-y', " 'é日😀'") }), { minLength: 1, maxLength: 8 });
const numbered = (shape: readonly { indent: number; words: number; tail: string }[]): string[] => {
  let n = 0;
  return shape.map((l, i) => (i > 0 && l.words === 0 ? ' '.repeat(l.indent) : ' '.repeat(i === 0 ? 0 : l.indent) + Array.from({ length: Math.max(1, l.words) }, () => `w${n++}x`).join(' ') + l.tail.replace('x-y', `c${n}x-d${n}x`)));
};

describe('SQL in the file', () => {
  it('in | blocks of any indent, chomping and line ends', () => {
    fc.assert(fc.property(lines, fc.integer({ min: 1, max: 6 }), fc.constantFrom('|', '|-', '|+', '|  # note'), fc.boolean(), fc.boolean(), fc.integer({ min: 0, max: 3 }), (shape, indent, header, crlf, bom, blank) => {
      const body = [...Array.from({ length: blank }, () => ''), ...numbered(shape).map(l => (l.trim() === '' ? l : ' '.repeat(2 + indent) + l))];
      const file = `${bom ? '\ufeff' : ''}${['name: b', 'a:', `  sql: ${header}`, ...body, 'z: 1', ''].join(crlf ? '\r\n' : '\n')}`;
      check(file);
    }), { numRuns: 2000 });
  });

  it('in blocks with an indentation indicator', () => {
    fc.assert(fc.property(lines, fc.integer({ min: 1, max: 6 }), fc.constantFrom('|N', '|-N', '|N-'), fc.integer({ min: 0, max: 3 }), (shape, indent, header, more) => {
      const body = numbered(shape).map((l, i) => (l.trim() === '' ? '' : ' '.repeat(2 + indent + (i === 0 ? more : 0)) + l));
      check(['a:', `  sql: ${header.replace('N', String(indent))}`, ...body, 'z: 1', ''].join('\n'));
    }), { numRuns: 1000 });
  });

  it('in plain, single and double quoted scalars over several lines', () => {
    const safe = lines.map(shape => numbered(shape.map(l => ({ ...l, words: Math.max(1, l.words), tail: '' }))));
    fc.assert(fc.property(safe, fc.constantFrom('', "'", '"'), fc.constantFrom('', "''", "''''"), fc.integer({ min: 0, max: 2 }), fc.boolean(), (text, quote, inner, blank, crlf) => {
      const piece = quote === "'" ? inner : quote === '"' ? inner.replaceAll("''", '\\"\\u0041\\x42\\t') : inner.replaceAll("''", "'");
      const body = text.map((l, i) => (i === 0 ? l : `    ${l}`) + (piece === '' ? '' : ` ${piece}`)).join(`\n${'\n'.repeat(blank)}`);
      const file = `a:\n  sql: ${quote}${body}${quote}\nz: 1\n`;
      const node = scalar(crlf ? file.replaceAll('\n', '\r\n') : file);
      const source = node.span.source.text;
      const sql = sqlText(node);
      for (const m of sql.text.matchAll(/w\d+x/g)) {
        const span = sql.span(m.index, m.index + m[0].length);
        expect(source.slice(span.start, span.end)).toBe(m[0]);
      }
    }), { numRuns: 1000 });
  });

  it('escapes of a double quoted scalar are one place each', () => {
    const file = 'a:\n  sql: "x\\n\\u0041\\x42\\U0001F600 y \\\n      z"\n';
    const sql = sqlText(scalar(file));
    expect(sql.text).toBe('x\nAB😀 y z');
    for (const word of ['x', 'y', 'z']) {
      const at = sql.text.indexOf(word);
      const span = sql.span(at, at + 1);
      expect(file.slice(span.start, span.end)).toBe(word);
    }
    const end = sql.span(sql.text.length, sql.text.length);
    expect(file.slice(end.start)).toBe('"\n');
  });
});

describe('a tree', () => {
  const read = (text: string): ReturnType<typeof parseYaml> => parseYaml(new SourceText('f', text));

  it('follows anchors, and stops those that multiply', () => {
    const { root } = read('a: &x {b: 1}\nc: *x\n');
    expect(entry(entry(root ?? undefined, 'c')?.value, 'b')?.value).toMatchObject({ value: 1 });
    const bomb = ['a0: &a0 [1,2,3,4,5,6,7,8,9]', ...Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array.from({ length: 9 }, () => `*a${i}`).join(',')}]`)].join('\n');
    expect(read(bomb).problems.map(p => p.code)).toEqual(['user.config.too_large']);
    expect(read('a: &x [*x]\n').problems.map(p => p.message)).toEqual(['this anchor holds itself']);
    expect(read('a: *x\n').problems).toHaveLength(1);
  });

  it('keeps the text of numbers, and words that are keys elsewhere', () => {
    const { root } = read('1e3: 7500.00\ntrue: yes\n__proto__: x\n');
    expect(root?.k === 'map' ? root.entries.map(e => [e.key, e.value.k === 'scalar' ? e.value.text : '']) : []).toEqual([['1e3', '7500.00'], ['true', 'yes'], ['__proto__', 'x']]);
  });

  it.each([
    ['a: 1\nb: 2\na: 3\n', 'config.duplicate 3:1', 'key "a" stands here a second time'],
    ['a: [b\nc: 1\n', 'config.yaml', ''],
    ['a:\n\tb: 1\n', 'config.yaml 2:1', 'YAML is indented with blanks, not with tabs'],
    ['a: !js b\n', 'config.yaml 1:4', 'tags such as !name mean nothing in a pipeline file'],
    ['a: 1\n---\nb: 1\n', 'config.yaml 2:1', 'the file holds several documents'],
    ['a: b: c\n', 'config.yaml 1:4', 'a second ":" on this line'],
    ['? [x]\n: 1\n', 'config.yaml 1:3', 'a key is a word'],
    ['', 'config.yaml 1:1', 'the file is empty'],
    ['# nothing\n', 'config.yaml 1:1', 'the file is empty'],
  ])('refuses %j', (text, at, message) => {
    const { root, problems } = read(text);
    const [p] = problems;
    const pos = p?.span?.source.position(p.span.start);
    expect(root).toBeNull();
    expect(`${p?.code.replace('user.', '')} ${pos?.line}:${pos?.col}`).toContain(at);
    expect(p?.message).toContain(message);
  });

  it('ends soon on text that nests deep', () => {
    expect(read('['.repeat(50_000)).problems.length).toBeGreaterThan(0);
    expect(read('{a: '.repeat(20_000)).problems.length).toBeGreaterThan(0);
    expect(read('- '.repeat(20_000)).problems.length).toBeGreaterThan(0);
  });
});
