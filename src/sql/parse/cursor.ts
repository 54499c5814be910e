import { PipeError, type Code, type SqlText } from '../../errors.ts';
import { closest, didYouMean } from '../../suggest.ts';
import type { At, Expr, Name, Query } from '../ast.ts';
import { clip, MAX_DEPTH, sqlError, tooDeep, type Token } from './lex.ts';
import { afterItem, foreign, keywords, reserved, startsClause } from './words.ts';

/** The two rules that every other one may lead back to. Each starts at the cursor and leaves it behind what it took. */
export interface Grammar {
  /** An expression of operators that bind at least as tightly as `min`. */
  expr(c: Cursor, min?: number): Expr;
  query(c: Cursor): Query;
}

interface Hints {
  readonly label?: string | undefined;
  readonly hint?: string | undefined;
}

const isComma = (t: Token): boolean => t.k === 'op' && t.text === ',';
const startsOperand = (t: Token): boolean => t.k !== 'op' || t.text === '(';

/** Operators between the root of a tree and a leaf; more would overflow the stack of whatever walks it. */
const MAX_HEIGHT = 1000;

/** A place in the tokens of one SQL text. */
export class Cursor {
  readonly sql: SqlText;
  readonly tokens: readonly Token[];
  readonly grammar: Grammar;
  pos = 0;
  /** The most operators above one leaf in what has been parsed of the innermost expression. */
  height = 0;
  /** Set operations in the whole text so far. */
  sets = 0;
  #depth = 0;

  constructor(sql: SqlText, tokens: readonly Token[], grammar: Grammar) {
    this.sql = sql;
    this.tokens = tokens;
    this.grammar = grammar;
  }

  get tok(): Token { return this.peek(0); }
  get atEnd(): boolean { return this.tok.k === 'end'; }
  peek(ahead: number): Token { return this.tokens[Math.min(this.pos + ahead, this.tokens.length - 1)] as Token; }
  isWord(word: string, ahead = 0): boolean { return this.peek(ahead).word === word; }

  isOp(op: string, ahead = 0): boolean {
    const t = this.peek(ahead);
    return t.k === 'op' && t.text === op;
  }

  /** Are these words next? */
  isWords(...words: readonly string[]): boolean { return words.every((w, i) => this.isWord(w, i)); }

  takeWords(...words: readonly string[]): boolean {
    if (!this.isWords(...words)) return false;
    this.pos += words.length;
    return true;
  }

  takeOp(op: string): boolean {
    if (!this.isOp(op)) return false;
    this.pos++;
    return true;
  }

  needWord(word: string, hints: Hints = {}): void { if (!this.takeWords(word)) throw this.unexpected(word, hints); }
  needOp(op: string, hints: Hints = {}): void { if (!this.takeOp(op)) throw this.unexpected(`"${op}"`, hints); }

  /** From a token to the last one taken. */
  since(first: number): At {
    const last = Math.max(first, this.pos - 1);
    return [(this.tokens[first] as Token).at[0], (this.tokens[last] as Token).at[1]];
  }

  expr(min = 0): Expr { return this.grammar.expr(this, min); }

  /** `rule` as often as commas follow; at least once. */
  list<T>(rule: () => T): T[] {
    const items = [rule()];
    while (this.takeOp(',')) items.push(rule());
    return items;
  }

  /** `rule` one nesting level below. */
  deeper<T>(rule: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw tooDeep(this.sql, this.tok.at);
    const result = rule();
    this.#depth--;
    return result;
  }

  /** So many operators stand now above what has been parsed of the expression. */
  taller(by: number): void {
    this.height += by;
    if (this.height > MAX_HEIGHT) throw this.error('user.sql.too_deep', `this expression is more than ${MAX_HEIGHT} operators deep`, (this.tokens[this.pos - 1] as Token).at, { hint: 'compute a part of it in a step' });
  }

  /** `rule` in brackets, the next token being the opening one. */
  brackets<T>(open: '(' | '[', rule: () => T): T {
    this.needOp(open);
    const result = this.deeper(rule);
    this.needOp(open === '(' ? ')' : ']');
    return result;
  }

  isName(t: Token = this.tok): boolean { return t.k === 'quoted' || (t.k === 'word' && !reserved.has(t.word)); }

  name(what: string): Name {
    const t = this.tok;
    if (!this.isName(t)) throw this.unexpected(what, t.k === 'word' && !startsClause.has(t.word) ? { hint: `quote a name that is a word of SQL: "${t.text}"` } : {});
    return this.anyName();
  }

  /** The next token as a name, whatever word it is. */
  anyName(): Name {
    const t = this.tok;
    this.pos++;
    return { text: t.text, quoted: t.k === 'quoted', at: t.at };
  }

  /** [AS] name, or null. */
  alias(): Name | null {
    if (this.takeWords('AS')) return this.name('a name after AS');
    const t = this.tok;
    return t.k === 'quoted' || (this.isName(t) && !afterItem.has(t.word)) ? this.anyName() : null;
  }

  /** Does a query start at the opening bracket under the cursor? `((SELECT 1) UNION ..)` is one, `((SELECT 1) + 1)` is none. */
  opensQuery(): boolean {
    let open = this.pos;
    while (this.#isOpen(open + 1)) open++;
    if (!['SELECT', 'WITH', 'VALUES'].includes((this.tokens[open + 1] as Token).word)) return false;
    for (let i = open; i > this.pos; i--) {
      const next = this.tokens[(this.tokens[i] as Token).mate + 1] as Token;
      if (next.text !== ')' && !['UNION', 'INTERSECT', 'EXCEPT', 'ORDER', 'LIMIT', 'OFFSET', 'FETCH'].includes(next.word)) return false;
    }
    return true;
  }

  #isOpen(i: number): boolean {
    const t = this.tokens[i];
    return t !== undefined && t.k === 'op' && t.text === '(';
  }

  /** A token as it stands in the SQL, for messages. */
  show(t: Token): string {
    return `"${clip(this.sql.text.slice(t.at[0], t.at[1]), 40)}"`;
  }

  error(code: Code, message: string, at: At, hints: Hints = {}): PipeError { return sqlError(this.sql, code, message, at, hints); }
  syntax(message: string, at: At, hints: Hints = {}): PipeError { return this.error('user.sql.syntax', message, at, hints); }
  notYet(what: string, at: At, hint?: string): PipeError { return this.error('user.sql.unsupported', `not supported yet: ${what}`, at, { hint }); }

  /** The token under the cursor cannot stand there. `expected` names what could, for example `a column or expression`. */
  unexpected(expected?: string, hints: Hints = {}): PipeError {
    const t = this.tok;
    const before = this.tokens[this.pos - 1];
    if (t.k === 'end') return this.#endsEarly(expected, before, hints);
    const slip = this.#misspelled(before, t);
    if (slip !== undefined) return slip;
    const message = expected === undefined ? `unexpected ${this.show(t)}` : `expected ${expected}, found ${this.show(t)}`;
    const hint = foreign.get(t.word === '' ? t.text : t.word) ?? hints.hint ?? (before !== undefined && isComma(before) ? 'remove the comma before it' : expected === undefined && startsOperand(t) ? 'is a comma or an operator missing before it?' : undefined);
    return this.syntax(message, t.at, { label: hints.label, hint });
  }

  #endsEarly(expected: string | undefined, last: Token | undefined, hints: Hints): PipeError {
    const at = last?.at ?? this.tok.at;
    if (last === undefined) return this.syntax('the SQL is empty', at, { hint: 'write SELECT ..' });
    const hint = hints.hint ?? (isComma(last) ? 'remove the comma' : undefined);
    return this.syntax(expected === undefined ? 'the SQL ends too early' : `expected ${expected}, but the SQL ends here`, at, { label: hints.label ?? 'the last word', hint });
  }

  /** The word itself, or the one before it that was taken for a name, may be a misspelled keyword: SELECT a FORM t. */
  #misspelled(before: Token | undefined, t: Token): PipeError | undefined {
    for (const word of [before, t]) {
      if (word === undefined || word.word.length < 3 || reserved.has(word.word) || foreign.has(word.word)) continue;
      if (closest(word.word, keywords) !== undefined && !keywords.includes(word.word)) return this.syntax(`unexpected ${this.show(word)}`, word.at, { hint: didYouMean(word.word, keywords) });
    }
    return undefined;
  }
}
