import { didYouMean } from '../../suggest.ts';
import type { FromItem, Name, Query, Relation, Select } from '../ast.ts';
import type { BindContext } from './context.ts';
import { windowTable } from './window.ts';
import type { Expr, Rel } from '../bound.ts';

type BindSubquery = (q: Query, context: BindContext) => Rel;

/** The relation of FROM and the name that qualifies its columns. */
export interface From {
  readonly rel: Rel;
  readonly table: string | null;
}

/** `subquery` binds a query in FROM. */
export function bindFrom(s: Select, context: BindContext, subquery: BindSubquery): From {
  const [first, second] = s.from;
  if (first === undefined) throw context.error('user.sql.syntax', 'a query reads FROM a source or a step', s.at, { hint: `one of: ${[...context.catalog.names()].join(', ')}` });
  if (second !== undefined) throw context.notYet(second.join === null || second.join.kind === 'cross' ? 'CROSS JOIN' : 'JOIN', second.join?.at ?? second.at);
  const from = relation(first.relation, context, subquery);
  const table = first.alias?.text ?? from.table;
  return { rel: first.columns.length > 0 ? renamed(from.rel, first, context) : from.rel, table };
}

function relation(r: Relation, context: BindContext, subquery: BindSubquery): From {
  switch (r.k) {
    case 'table': {
      if (r.asOf !== null) throw context.notYet('FOR SYSTEM_TIME AS OF', r.asOf.at);
      return { rel: table(r.name, context), table: r.name.text };
    }
    case 'subquery': {
      if (r.lateral) throw context.notYet('LATERAL', r.at);
      return { rel: subquery(r.query, context), table: null };
    }
    case 'window': {
      const input = relation(r.input, context, subquery);
      return { rel: windowTable(r, input.rel, input.table, context), table: input.table };
    }
    case 'unnest': throw context.notYet('UNNEST', r.at);
    case 'values': throw context.notYet('VALUES', r.at);
  }
}

function table(name: Name, context: BindContext): Rel {
  const cte = context.ctes.get(name.text);
  if (cte !== undefined) return cte;
  const columns = context.catalog.columns(name.text);
  if (columns !== undefined) return { k: 'scan', table: name.text, columns };
  const known = [...context.ctes.keys(), ...context.catalog.names()];
  throw context.error('user.sql.unknown_table', `table "${name.text}" does not exist`, name.at, {
    label: 'no such source or step', hint: didYouMean(name.text, known) ?? `sources and steps: ${known.join(', ')}`,
  });
}

/** FROM t AS u(x, y): the visible columns under other names. */
function renamed(rel: Rel, item: FromItem, context: BindContext): Rel {
  const visible = rel.columns.filter(c => !c.hidden);
  if (item.columns.length !== visible.length) throw context.error('user.sql.syntax', `${item.columns.length} names for ${visible.length} columns`, item.at);
  let next = 0;
  const columns = rel.columns.map(c => (c.hidden ? c : { ...c, name: (item.columns[next++] as Name).text }));
  const exprs = columns.map((c, index): Expr => ({ k: 'col', index, type: c.type, nullable: c.nullable }));
  return { k: 'project', input: rel, exprs, query: context.query, columns };
}
