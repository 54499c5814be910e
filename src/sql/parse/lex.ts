import { PipeError, type Code, type SqlText } from '../../errors.ts';
import type { At } from '../ast.ts';

/**
 * `text` is the value: quotes are gone and doubled ones folded; a number keeps its digits. `word` is the ASCII upper-case
 * form of an unquoted word, to compare with keywords, and '' for everything else.
 */
export interface Token {
  readonly k: 'word' | 'quoted' | 'text' | 'number' | 'op' | 'end';
  readonly text: string;
  readonly word: string;
  readonly at: At;
  /** Index of the token that closes this bracket; -1 for other tokens. */
  mate: number;
}

/** Brackets, CASE and prefix operators together nest at most this deep: node-sql-parser and recursion stay cheap. */
export const MAX_DEPTH = 100;

/** A name in a message may be as long as the text itself. */
export const clip = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 3)}...` : text);

export function sqlError(sql: SqlText, code: Code, message: string, at: At, more: { label?: string | undefined; hint?: string | undefined } = {}): PipeError {
  return new PipeError(code, clip(message, 300), { span: sql.span(at[0], at[1]), label: more.label, hint: more.hint === undefined ? undefined : clip(more.hint, 300) });
}

export const tooDeep = (sql: SqlText, at: At): PipeError =>
  sqlError(sql, 'user.sql.too_deep', `the SQL nests deeper than ${MAX_DEPTH} levels`, at, { label: 'one level too many', hint: 'name a part of it in WITH or in a step' });

const blank = /\s+/uy;
const word = /[\p{L}_][\p{L}\p{M}\p{N}_$]*/uy;
const number = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const operator = /->>|<=>|->|=>|<>|<=|>=|!=|==|\|\||&&|::|:=|\*\*|[-+*/%=<>(){}[\],;.:!~^&|#@$?\\]/y;
const partOfName = /[\p{L}\p{M}\p{N}_$]/uy;

const closerOf: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

class Lexer {
  readonly #sql: SqlText;
  readonly #text: string;
  readonly #tokens: Token[] = [];
  /** Indexes of the brackets that are open. */
  readonly #open: number[] = [];
  #pos = 0;

  constructor(sql: SqlText) {
    this.#sql = sql;
    this.#text = sql.text;
  }

  run(): Token[] {
    for (this.#skip(); this.#pos < this.#text.length; this.#skip()) this.#next();
    const open = this.#tokens[this.#open.at(-1) ?? -1];
    if (open !== undefined) throw this.#syntax(`this "${open.text}" is never closed`, open.at, 'opened here');
    this.#push('end', '', this.#pos);
    return this.#tokens;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#pos;
    return pattern.exec(this.#text)?.[0] ?? null;
  }

  #error(message: string, at: At, label?: string, hint?: string): PipeError {
    return sqlError(this.#sql, 'user.sql.literal', message, at, { label, hint });
  }

  #syntax(message: string, at: At, label?: string, hint?: string): PipeError {
    return sqlError(this.#sql, 'user.sql.syntax', message, at, { label, hint });
  }

  #push(k: Token['k'], text: string, start: number): void {
    const keyword = k === 'word' && /^\w+$/.test(text) ? text.toUpperCase() : '';
    this.#tokens.push({ k, text, word: keyword, at: [start, this.#pos], mate: -1 });
  }

  #skip(): void {
    const text = this.#text;
    for (;;) {
      this.#pos += this.#match(blank)?.length ?? 0;
      if (text.startsWith('--', this.#pos)) {
        const end = text.indexOf('\n', this.#pos);
        this.#pos = end < 0 ? text.length : end;
      } else if (text.startsWith('/*', this.#pos)) {
        const end = text.indexOf('*/', this.#pos + 2);
        if (end < 0) throw this.#syntax('this comment is never closed', [this.#pos, this.#pos + 2], 'opened here', 'close it with */');
        this.#pos = end + 2;
      } else return;
    }
  }

  #next(): void {
    const start = this.#pos;
    const c = this.#text[start] as string;
    if (c === "'") return this.#push('text', this.#quoted("'", 'text literal'), start);
    if (c === '"' || c === '`') return this.#name(c);
    const digits = this.#match(number);
    if (digits !== null) return this.#number(digits);
    const name = this.#match(word);
    if (name !== null) return this.#word(name);
    const op = this.#match(operator);
    if (op === null) throw this.#stray();
    if (op === '#' || this.#text.startsWith('//', start)) throw this.#syntax(`unexpected "${op === '#' ? '#' : '//'}"`, [start, start + 1], undefined, 'a comment starts with --');
    this.#pos += op.length;
    this.#push('op', op, start);
    if (closerOf[op] !== undefined || op === ')' || op === ']' || op === '}') this.#pair(this.#tokens.length - 1);
  }

  /** Finds the mate of a bracket, and bounds the depth before anything recurses over it. */
  #pair(index: number): void {
    const t = this.#tokens[index] as Token;
    if (closerOf[t.text] !== undefined) {
      if (this.#open.push(index) > MAX_DEPTH) throw tooDeep(this.#sql, t.at);
      return;
    }
    const opener = this.#tokens[this.#open.pop() ?? -1];
    if (opener === undefined) throw this.#syntax(`unexpected "${t.text}"`, t.at, 'no bracket is open here');
    const wanted = closerOf[opener.text] as string;
    if (wanted !== t.text) throw this.#syntax(`expected "${wanted}", found "${t.text}"`, t.at, undefined, `the "${opener.text}" at ${place(this.#sql, opener.at)} is still open`);
    opener.mate = index;
  }

  /** From the opening quote on; a doubled quote stands for one. */
  #quoted(quote: string, what: string): string {
    const start = this.#pos;
    let from = start + 1;
    let value = '';
    for (;;) {
      const end = this.#text.indexOf(quote, from);
      if (end < 0) throw this.#error(`this ${what} is never closed`, [start, start + 1], 'opened here', `close it with ${quote}; a ${quote} inside is written ${quote}${quote}`);
      value += this.#text.slice(from, end);
      from = end + 1;
      if (this.#text[from] !== quote) break;
      value += quote;
      from++;
    }
    this.#pos = from;
    return value;
  }

  #name(quote: string): void {
    const start = this.#pos;
    const value = this.#quoted(quote, 'quoted name');
    if (value === '') throw this.#syntax('a name cannot be empty', [start, this.#pos], undefined, "an empty text is ''");
    this.#push('quoted', value, start);
  }

  #number(digits: string): void {
    const start = this.#pos;
    this.#pos += digits.length;
    if (this.#match(partOfName) !== null) {
      const rest = this.#tail();
      const hint = /^0[xob]/i.test(digits + rest) ? 'write it as a decimal number' : /^_\d/.test(rest) ? `write it without _: ${(digits + rest).replaceAll('_', '')}` : 'quote a name that starts with a digit: "..."';
      throw this.#error(`"${clip(digits + rest, 40)}" is no number`, [start, this.#pos], undefined, hint);
    }
    this.#push('number', digits, start);
  }

  /** The characters that stick to what was read before. */
  #tail(): string {
    const start = this.#pos;
    for (let c = this.#match(partOfName); c !== null; c = this.#match(partOfName)) this.#pos += c.length;
    return this.#text.slice(start, this.#pos);
  }

  #word(name: string): void {
    const start = this.#pos;
    this.#pos += name.length;
    const unicode = /^U$/i.test(name) && /^&['"]/.test(this.#text.slice(this.#pos, this.#pos + 2));
    if (unicode || (this.#text[this.#pos] === "'" && /^[ENBX]$/i.test(name))) {
      if (/^X$/i.test(name)) throw sqlError(this.#sql, 'user.sql.unsupported', "not supported yet: binary literals (X'..')", [start, this.#pos + 1]);
      throw this.#error(`${name.toUpperCase()}${unicode ? '&' : ''}'..' is no literal of this language`, [start, this.#pos + (unicode ? 2 : 1)], undefined,
        "a text is written '..', with '' for a quote and no backslash escapes");
    }
    this.#push('word', name, start);
  }

  #stray(): PipeError {
    const start = this.#pos;
    const c = String.fromCodePoint(this.#text.codePointAt(start) as number);
    const hint = /[‘’‚‛′＇]/u.test(c) ? "a text is written in straight quotes: '" : /[“”„‟″＂]/u.test(c) ? 'a name is quoted in straight quotes: "' : undefined;
    const shown = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(c) ? `"${c}"` : `character U+${(c.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`;
    return this.#syntax(`unexpected ${shown}`, [start, start + c.length], undefined, hint);
  }
}

function place(sql: SqlText, at: At): string {
  const span = sql.span(at[0], at[1]);
  const { line, col } = span.source.position(span.start);
  return `line ${line}, column ${col}`;
}

/**
 * The tokens of a SQL text, the last one of kind 'end'. Brackets are paired.
 * Throws PipeError user.sql.literal, user.sql.syntax, user.sql.too_deep, user.sql.unsupported (X'..').
 */
export function lex(sql: SqlText): readonly Token[] {
  return new Lexer(sql).run();
}
