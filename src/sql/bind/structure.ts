import type { Expr } from '../bound.ts';
import { typeName, type Value } from '../types.ts';

const text = (v: Value | null): string => (v === null ? 'null' : typeof v === 'object' ? `x${Buffer.from(v).toString('hex')}` : `${typeof v}:${String(v)}`);

/** Gives equal expressions equal numbers, in time linear in their size: GROUP BY UPPER(type) is found again in SELECT UPPER(type). */
export class Structure {
  readonly #ids = new Map<string, number>();
  readonly #known = new WeakMap<Expr, number>();

  id(e: Expr): number {
    let id = this.#known.get(e);
    if (id === undefined) {
      id = this.#intern(this.#shape(e));
      this.#known.set(e, id);
    }
    return id;
  }

  #intern(shape: string): number {
    let id = this.#ids.get(shape);
    if (id === undefined) {
      id = this.#ids.size;
      this.#ids.set(shape, id);
    }
    return id;
  }

  #shape(e: Expr): string {
    const all = (xs: readonly Expr[]): string => xs.map(x => this.id(x)).join(',');
    switch (e.k) {
      case 'col': return `c${e.index}`;
      case 'lit': return `l${typeName(e.type)} ${text(e.value)}`;
      // a volatile call equals nothing but itself
      case 'call': return e.fn.volatile === true ? `v${this.#ids.size}` : `f${e.fn.name} ${typeName(e.type)} ${e.fn.args.map(typeName).join(',')}(${all(e.args)})`;
      case 'and': case 'or': return `${e.k}(${all(e.args)})`;
      case 'not': return `not ${this.id(e.arg)}`;
      case 'is': return `is ${e.not} ${e.what} ${this.id(e.arg)}`;
      case 'case': return `case ${e.whens.map(w => `${this.id(w.when)}:${this.id(w.then)}`).join(' ')} ${this.id(e.else)}`;
      case 'try': return `try ${this.id(e.arg)}`;
    }
  }
}

/** Rebuilds an expression with `leaf` in place of the subtrees for which it returns one. */
export function rewrite(e: Expr, leaf: (e: Expr) => Expr | null): Expr {
  const found = leaf(e);
  if (found !== null) return found;
  const go = (x: Expr): Expr => rewrite(x, leaf);
  switch (e.k) {
    case 'col': case 'lit': return e;
    case 'call': return { ...e, args: e.args.map(go) };
    case 'and': case 'or': return { ...e, args: e.args.map(go) };
    case 'not': case 'is': case 'try': return { ...e, arg: go(e.arg) };
    case 'case': return { ...e, whens: e.whens.map(w => ({ when: go(w.when), then: go(w.then) })), else: go(e.else) };
  }
}

/** Calls `visit` for every node. */
export function walk(e: Expr, visit: (e: Expr) => void): void {
  visit(e);
  switch (e.k) {
    case 'col': case 'lit': return;
    case 'call': case 'and': case 'or': e.args.forEach(a => walk(a, visit)); return;
    case 'not': case 'is': case 'try': walk(e.arg, visit); return;
    case 'case': e.whens.forEach(w => { walk(w.when, visit); walk(w.then, visit); }); walk(e.else, visit);
  }
}
