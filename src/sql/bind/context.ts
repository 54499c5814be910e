import { PipeError, PipeErrors, type Code, type ProblemMore, type SqlText } from '../../errors.ts';
import type { At } from '../ast.ts';
import type { Rel, RelColumn } from '../bound.ts';

/** What FROM can name: sources and steps by their columns, CTEs by their relation. */
export interface Catalog {
  columns(table: string): readonly RelColumn[] | undefined;
  names(): Iterable<string>;
}

/** One SQL text while it is bound: where problems and warnings go. */
export class BindContext {
  readonly sql: SqlText;
  /** Step or sink that the text belongs to. */
  readonly query: string;
  readonly catalog: Catalog;
  readonly ctes: ReadonlyMap<string, Rel>;
  readonly warnings: PipeError[];
  readonly problems: PipeError[];

  constructor(sql: SqlText, query: string, catalog: Catalog, ctes: ReadonlyMap<string, Rel> = new Map(), warnings: PipeError[] = [], problems: PipeError[] = []) {
    this.sql = sql;
    this.query = query;
    this.catalog = catalog;
    this.ctes = ctes;
    this.warnings = warnings;
    this.problems = problems;
  }

  with(ctes: ReadonlyMap<string, Rel>): BindContext {
    return new BindContext(this.sql, this.query, this.catalog, new Map([...this.ctes, ...ctes]), this.warnings, this.problems);
  }

  error(code: Code, message: string, at: At, more: Omit<ProblemMore, 'span'> = {}): PipeError {
    return new PipeError(code, message, { ...more, span: this.sql.span(at[0], at[1]) });
  }

  notYet(what: string, at: At, hint?: string): PipeError {
    return this.error('user.sql.unsupported', `not supported yet: ${what}`, at, { hint });
  }

  /** Collects a problem and goes on, so that one run tells all of them. */
  attempt<T>(bind: () => T): T | null {
    try {
      return bind();
    } catch (error) {
      if (error instanceof PipeError) this.problems.push(error);
      else if (error instanceof PipeErrors) this.problems.push(...error.problems);
      else throw error;
      return null;
    }
  }

  throwProblems(): void {
    if (this.problems.length > 0) throw new PipeErrors([...this.problems]);
  }
}
