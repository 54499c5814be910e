import type { Span } from '../errors.ts';
import { rewrite } from '../sql/bind/structure.ts';
import { nullable, type Expr } from '../sql/bound.ts';
import type { ScalarFn } from '../sql/functions/define.ts';
import type { Value } from '../sql/types.ts';
import { printExpr } from '../plan/print.ts';

/** Something that an evaluation may come to. */
export type Note = (at: Span, text: string, k: 'condition' | 'branch') => { reached: boolean };

/** Puts calls around the conditions and branches of expressions, which give their argument back and note what it was. */
export class Probes {
  readonly #query: Span;
  readonly #names: readonly string[];
  readonly #note: Note;

  /** `query`: where a condition stands that nobody has a place for; `names`: columns of the input. */
  constructor(query: Span, names: readonly string[], note: Note) {
    this.#query = query;
    this.#names = names;
    this.#note = note;
  }

  /** Of WHERE, HAVING or FILTER: each comparison notes whether it was true, false or NULL. */
  condition(e: Expr, never: ReadonlySet<number> = new Set()): Expr {
    switch (e.k) {
      case 'and': {
        // behind `x IS NOT NULL AND` x is not NULL
        const known = new Set([...never, ...e.args.flatMap(a => (a.k === 'is' && a.what === 'null' && a.not && a.arg.k === 'col' ? [a.arg.index] : []))]);
        return { ...e, args: e.args.map(a => this.condition(a, known)) };
      }
      case 'or': return { ...e, args: e.args.map(a => this.condition(a, never)) };
      case 'not': return { ...e, arg: this.condition(e.arg, never) };
      case 'case': case 'lit': return this.value(e);
      default: return this.#outcomes(e, never);
    }
  }

  /** Of anything else: each branch of a CASE notes that it was taken. */
  value(e: Expr): Expr {
    return rewrite(e, x => {
      if (x.k !== 'case' || x.ats === undefined) return null;
      const { ats, whens } = x;
      const branch = (value: Expr, i: number): Expr => {
        const note = this.#note(ats[i] ?? this.#query, i < whens.length ? `WHEN ${i + 1} of ${whens.length}` : 'ELSE', 'branch');
        return this.#through(this.value(value), () => { note.reached = true; });
      };
      return { ...x, whens: whens.map((w, i) => ({ when: this.value(w.when), then: branch(w.then, i) })), else: branch(x.else, whens.length) };
    });
  }

  #outcomes(e: Expr, never: ReadonlySet<number>): Expr {
    const at = e.k === 'call' || e.k === 'is' ? e.at : undefined;
    const text = at === undefined ? printExpr(e, this.#names) : at.source.text.slice(at.start, at.end).replace(/\s+/g, ' ');
    const note = (what: string): { reached: boolean } => this.#note(at ?? this.#query, `${text} is ${what}`, 'condition');
    const [yes, no, unknown] = [note('true'), note('false'), canBeNull(e, never) ? note('NULL') : null];
    return this.#through(this.value(e), v => {
      const seen = v === null ? unknown : v === true ? yes : no;
      if (seen !== null) seen.reached = true;
    });
  }

  /** A call that gives its argument back. */
  #through(arg: Expr, see: (v: Value | null) => void): Expr {
    const fn: ScalarFn = { name: 'seen', args: [arg.type], returns: arg.type, nulls: 'pass', returnsNull: nullable(arg), fn: (v = null) => { see(v); return v; } };
    return { k: 'call', fn, args: [arg], type: arg.type, at: this.#query };
  }
}

/** As `nullable`, where some columns are known to hold no NULL. */
const canBeNull = (e: Expr, never: ReadonlySet<number>): boolean => nullable(rewrite(e, x => (x.k === 'col' && never.has(x.index) ? { ...x, nullable: false } : null)));
