import { describe, expect, it } from 'vitest';
import { problemJson, renderProblem, renderProblems } from '../../src/cli/render-error.ts';
import { PipeError, SourceText, type ProblemMore } from '../../src/errors.ts';

const at = (text: string, word: string, more: ProblemMore = {}): PipeError => {
  const start = text.indexOf(word);
  return new PipeError('user.sql.type', 'text', { span: { source: new SourceText('f.yaml', text), start, end: start + word.length }, ...more });
};
const shown = (p: PipeError): string => renderProblem(p, { color: false });

describe('a problem as text', () => {
  it('has the lines around it, but no blank ones, and grows with the line number', () => {
    expect(shown(at('a\n\nbad\n\nc', 'bad'))).toBe('f.yaml:3:1 error[user.sql.type]: text\n  >   3 | bad\n        | ^^^\n');
    const long = `${'x\n'.repeat(1234)}bad\ny`;
    expect(shown(at(long, 'bad', { label: 'here', hint: 'write good' }))).toBe('f.yaml:1235:1 error[user.sql.type]: text\n    1234 | x\n  > 1235 | bad\n         | ^^^ here\n    1236 | y\n  hint: write good\n');
  });

  it('points right behind tabs, wide characters, marks and a carriage return', () => {
    expect(shown(at('\ta\tbad\tb\r\n', 'bad'))).toBe('f.yaml:1:4 error[user.sql.type]: text\n  >   1 |   a  bad  b\n        |      ^^^\n');
    expect(shown(at('日本 e\u0301 bad', 'bad'))).toBe('f.yaml:1:7 error[user.sql.type]: text\n  >   1 | 日本 e\u0301 bad\n        |        ^^^\n');
    expect(shown(at('日本', '日本'))).toContain('        | ^^^^\n');
  });

  it('marks the first line of a place that goes on, and one column of an empty one', () => {
    expect(shown(at('one two\nthree', 'two\nthree'))).toContain('        |     ^^^\n');
    expect(shown(at('ab', ''))).toContain('        | ^\n');
    const source = new SourceText('f.yaml', 'ab\n');
    expect(shown(new PipeError('user.sql.syntax', 'end', { span: { source, start: 3, end: 3 } }))).toBe('f.yaml:2:1 error[user.sql.syntax]: end\n      1 | ab\n  >   2 |\n        | ^\n');
  });

  it('cuts a long line around its place', () => {
    const text = shown(at(`${'a '.repeat(500)}bad${' b'.repeat(500)}`, 'bad'));
    const [, line, caret] = text.split('\n') as [string, string, string];
    expect(line.length).toBeLessThan(170);
    expect(line.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1)).toBe('bad');
    expect(shown(at(`x ${'bad'.repeat(500)}`, 'bad'.repeat(500))).split('\n').every(l => l.length < 170)).toBe(true);
  });

  it('lets no text of the file act on the terminal', () => {
    const text = shown(at('a\u001b[31m\u202e bad', 'bad', { hint: 'h\u001b]0;x\u0007', label: 'l\u001bm' }));
    expect(text).not.toMatch(/[\u001b\u0007\u202e]/);
    expect(text).toContain('  >   1 | a\ufffd[31m\ufffd bad\n        |         ^^^ l');
  });

  it('without a place is one line and its hint', () => {
    expect(shown(new PipeError('system.state.locked', 'in use', { hint: 'wait' }))).toBe('error[system.state.locked]: in use\n  hint: wait\n');
    expect(shown(new PipeError('user.config.path', 'x', { severity: 'warning' }))).toBe('warning[user.config.path]: x\n');
  });

  it('has colours only when asked', () => {
    const p = at('bad', 'bad', { hint: 'h' });
    expect(renderProblem(p, { color: true })).toContain('\u001b[31;1m');
    expect(renderProblem(p, { color: true }).replace(/\u001b\[[\d;]*m/g, '')).toBe(shown(p));
  });
});

describe('many problems', () => {
  it('are counted beyond twenty', () => {
    const text = renderProblems(Array.from({ length: 25 }, (_, i) => new PipeError('user.sql.type', `n${i}`)), { color: false });
    expect(text.split('\n\n').length).toBe(21);
    expect(text).toMatch(/n19\n\nand 5 more\n$/);
    expect(renderProblems([], { color: false })).toBe('');
  });
});

describe('a problem as data', () => {
  it('has exactly these fields', () => {
    expect(problemJson(at('a bad\nb', 'bad\nb', { hint: 'h', label: 'l' }))).toEqual({ code: 'user.sql.type', severity: 'error', file: 'f.yaml', line: 1, col: 3, endCol: 6, message: 'text', hint: 'h' });
    expect(JSON.stringify(problemJson(new PipeError('bug.unexpected', 'm', { severity: 'warning' })))).toBe('{"code":"bug.unexpected","severity":"warning","file":null,"line":null,"col":null,"endCol":null,"message":"m","hint":null}');
  });
});
