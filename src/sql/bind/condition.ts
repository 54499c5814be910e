import type { SqlText } from '../../errors.ts';
import type { Expr as Ast } from '../ast.ts';
import type { Expr } from '../bound.ts';
import { parseCondition } from '../parse/parse.ts';
import { STRING, type Schema } from '../types.ts';
import { BindContext } from './context.ts';
import { bindCondition } from './expr-scope.ts';
import { bindExpr } from './expr.ts';
import { Scope } from './scope.ts';
import { Structure } from './structure.ts';

export interface Condition {
  readonly expr: Expr;
  /** What its columns are indexes of. */
  readonly columns: Schema;
}

/**
 * A condition that stands alone, over one table. `open`: a name that is no column becomes one, a STRING that may be NULL, behind
 * the others. Throws PipeError user.sql.*, PipeErrors.
 */
export function bindAlone(sql: SqlText, columns: Schema, open: boolean): Condition {
  const ast = parseCondition(sql);
  const known = new Set(columns.map(c => c.name));
  const more = open ? [...namesIn(ast)].filter(n => !known.has(n)).map(name => ({ name, type: STRING, nullable: true })) : [];
  const all = [...columns, ...more];
  const context = new BindContext(sql, 'filter', { columns: () => undefined, names: () => [] });
  const scope = new Scope(all.map(c => ({ ...c, attribute: null, hidden: false })), null);
  const expr = bindCondition(ast, { bind: bindExpr, context, scope, aggregates: 'a condition sees single rows', places: new WeakMap(), structure: new Structure() }, 'a filter');
  context.throwProblems();
  return { expr, columns: all };
}

/** Names that stand for columns, as far as a part of it has some. */
function namesIn(part: unknown): Set<string> {
  const names = new Set<string>();
  const visit = (x: unknown): void => {
    if (typeof x !== 'object' || x === null) return;
    const e = x as Partial<Ast & { k: 'ref' }>;
    if (e.k === 'ref' && e.path !== undefined) {
      if (e.path.length === 1) names.add((e.path[0] as { text: string }).text);
      return;
    }
    for (const inner of Object.values(x)) visit(inner);
  };
  visit(part);
  return names;
}
