import { RowError } from '../errors.ts';
import { nullable, type Expr } from '../sql/bound.ts';
import { reprOf, type SqlType } from '../sql/types.ts';
import type { Writer } from './writer.ts';

/** JavaScript for one value: `v` and `n` are names or literals without side effects; `n` is true when NULL, and null when it never is. `v` means nothing where `n`. */
export interface Code {
  readonly v: string;
  readonly n: string | null;
}

const isRowError = (e: unknown): boolean => e instanceof RowError;

/** A value of the right representation for places that hold NULL: keeps the variable's hidden type stable. */
function zero(type: SqlType): string {
  switch (reprOf(type)) {
    case 'bool': return 'false';
    case 'text': return "''";
    case 'bytes': return 'null';
    default: return '0';
  }
}

const either = (...flags: readonly (string | null)[]): string | null => {
  const set = flags.filter(f => f !== null);
  return set.length === 0 ? null : set.length === 1 ? (set[0] as string) : `(${set.join(' || ')})`;
};

/** Emits expressions for row `i` of batch columns `c0..`, null maps `n0..`; `extra` names the columns beyond them (a window's bounds). */
export class Emitter {
  readonly #w: Writer;
  readonly #width: number;
  readonly #extra: readonly string[];
  /** Columns already loaded for this row; loads go to the row's head, where they dominate every use. */
  readonly #loaded = new Map<number, Code>();
  readonly #used = new Set<number>();
  #head: string[] = [];

  constructor(w: Writer, width: number, extra: readonly string[] = []) {
    this.#w = w;
    this.#width = width;
    this.#extra = extra;
  }

  /** The lines of `body` with the column loads they need before them. Loads stay known to later sections of the same row. */
  section(body: () => void): string {
    this.#head = [];
    const lines = this.#w.capture(body);
    return [...this.#head, lines].join('\n');
  }

  /** Input columns that the code reads. */
  used(): readonly number[] { return [...this.#used]; }

  /** Input column `index` as an array, for code that never meets a NULL there. */
  array(index: number): string {
    this.#used.add(index);
    return `c${index}`;
  }

  emit(e: Expr): Code {
    switch (e.k) {
      case 'col': return e.index < this.#width ? this.#column(e) : { v: this.#extra[e.index - this.#width] as string, n: null };
      case 'lit': return this.#literal(e);
      case 'call': return this.#call(e);
      case 'and': case 'or': return this.#logic(e);
      case 'not': { const a = this.emit(e.arg); return { v: `!${a.v}`, n: a.n }; }
      case 'is': return this.#is(e);
      case 'case': return this.#case(e);
      case 'try': return this.#try(e);
    }
  }

  /** JavaScript that is true when `e` is TRUE (neither FALSE nor NULL). */
  test(e: Expr): string {
    const c = this.emit(e);
    return c.n === null ? c.v : `!${c.n} && ${c.v}`;
  }

  #column(e: Expr & { k: 'col' }): Code {
    let code = this.#loaded.get(e.index);
    if (code === undefined) {
      const v = `v${e.index}`;
      const load = `${this.array(e.index)}[i]`;
      this.#head.push(`const ${v} = ${reprOf(e.type) === 'bool' ? `${load} === 1` : load};`);
      if (e.nullable) this.#head.push(`const u${e.index} = n${e.index} !== null && n${e.index}[i] === 1;`);
      code = { v, n: e.nullable ? `u${e.index}` : null };
      this.#loaded.set(e.index, code);
    }
    return code;
  }

  #literal(e: Expr & { k: 'lit' }): Code {
    const x = e.value;
    if (x === null) return { v: zero(e.type), n: 'true' };
    if (typeof x === 'boolean') return { v: String(x), n: null };
    if (typeof x === 'number' && Number.isFinite(x)) return { v: x < 0 || Object.is(x, -0) ? `(${Object.is(x, -0) ? '-0' : x})` : String(x), n: null };
    return { v: this.#w.bind(x), n: null };
  }

  #call(e: Expr & { k: 'call' }): Code {
    const args = e.args.map(a => this.emit(a));
    const { fn } = e;
    if (fn.nulls === 'pass') return this.#called(e.type, `${this.#w.bind(fn.fn)}(${args.map(a => (a.n === null ? a.v : `${a.n} ? null : ${a.v}`)).join(', ')})`, null, fn.returnsNull === true);
    const names = args.map(a => a.v);
    const js = fn.js?.(names, x => this.#w.bind(x)) ?? `${this.#w.bind(fn.fn)}(${names.join(', ')})`;
    return this.#called(e.type, js, either(...args.map(a => a.n)), fn.returnsNull === true);
  }

  /** `js` evaluated unless `skip`; with `returnsNull` its own null counts too. */
  #called(type: SqlType, js: string, skip: string | null, returnsNull: boolean): Code {
    const w = this.#w;
    if (skip === null && !returnsNull) return { v: w.temp(js), n: null };
    const v = w.name();
    const n = w.name('z');
    if (!returnsNull) {
      w.line(`let ${v} = ${zero(type)}; const ${n} = ${skip}; if (!${n}) ${v} = ${js};`);
    } else {
      w.line(`let ${v} = ${skip === null ? js : `${skip} ? null : ${js}`}; const ${n} = ${v} === null; if (${n}) ${v} = ${zero(type)};`);
    }
    return { v, n };
  }

  /**
   * AND, left to right, without evaluating more than it must: FALSE decides; else NULL if any is NULL; else TRUE. OR is its mirror.
   *   AND    T F N
   *     T    T F N
   *     F    F F F
   *     N    N F N
   */
  #logic(e: Expr & { k: 'and' | 'or' }): Code {
    const w = this.#w;
    const v = w.name();
    const label = w.name('l');
    const n = nullable(e) ? w.name('z') : null;
    const all = e.k === 'and';
    w.line(`let ${v} = ${all}${n === null ? '' : `, ${n} = false`}; ${label}: {`);
    for (const arg of e.args) {
      const a = this.emit(arg);
      const decides = all ? `!${a.v}` : a.v;
      const decide = `${v} = ${!all};${n === null ? '' : ` ${n} = false;`} break ${label};`;
      w.line(a.n === null ? `if (${decides}) { ${decide} }` : `if (${a.n}) ${n} = true; else if (${decides}) { ${decide} }`);
    }
    w.line('}');
    return { v, n };
  }

  #is(e: Expr & { k: 'is' }): Code {
    const a = this.emit(e.arg);
    const yes = e.what === 'null' ? (a.n ?? 'false') : e.what === 'true' ? (a.n === null ? a.v : `(!${a.n} && ${a.v})`) : a.n === null ? `!${a.v}` : `(!${a.n} && !${a.v})`;
    return { v: this.#w.temp(e.not ? `!${yes}` : yes), n: null };
  }

  #case(e: Expr & { k: 'case' }): Code {
    const w = this.#w;
    const v = w.name();
    const label = w.name('l');
    const n = nullable(e) ? w.name('z') : null;
    const set = (x: Expr): void => {
      const c = this.emit(x);
      w.line(`${v} = ${c.v};${n === null ? '' : ` ${n} = ${c.n ?? 'false'};`}`);
    };
    w.line(`let ${v} = ${zero(e.type)}${n === null ? '' : `, ${n} = false`}; ${label}: {`);
    for (const branch of e.whens) {
      w.line(`if (${this.test(branch.when)}) {`);
      set(branch.then);
      w.line(`break ${label}; }`);
    }
    set(e.else);
    w.line('}');
    return { v, n };
  }

  #try(e: Expr & { k: 'try' }): Code {
    const w = this.#w;
    const v = w.name();
    const n = w.name('z');
    w.line(`let ${v} = ${zero(e.type)}, ${n} = true; try {`);
    const c = this.emit(e.arg);
    w.line(`${v} = ${c.v}; ${n} = ${c.n ?? 'false'}; } catch (e) { if (!${w.bind(isRowError)}(e)) throw e; }`);
    return { v, n };
  }
}
