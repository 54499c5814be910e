import { BindContext, type Catalog } from '../../src/sql/bind/context.ts';
import { bindQuery } from '../../src/sql/bind/query.ts';
import { parseQuery } from '../../src/sql/parse/parse.ts';
import type { RelColumn } from '../../src/sql/bound.ts';
import { plainSql } from '../../src/errors.ts';
import { buildPlan } from '../../src/plan/build.ts';
import { buildGraph } from '../../src/engine/build.ts';
import { newColumn, type Batch } from '../../src/engine/batch.ts';
import type { OperatorContext } from '../../src/engine/operator.ts';
import { RowError, PipeError } from '../../src/errors.ts';
import type { Value } from '../../src/sql/types.ts';
import { INT } from '../../src/sql/types.ts';
import { plainColumn } from '../../src/sql/values/text-column.ts';
import { memoryState } from '../state/memory.ts';

/** Rows that a query gives over `t (n INT)` with the rows 1..rows, run to its end. Throws what a row failed with, or with `keep` gives it as a row. */
export function evaluate(sql: string, jit: boolean, rows = 1, keep = false): (Value | null)[][] {
  const columns: RelColumn[] = [{ name: 'n', type: INT, nullable: false, attribute: null, hidden: false }];
  const catalog: Catalog = { columns: name => (name === 't' ? columns : undefined), names: () => ['t'] };
  const text = plainSql(sql);
  const rel = bindQuery(parseQuery(text), new BindContext(text, 'q', catalog, new Map(), []));
  const plan = buildPlan([{ name: 't', columns, eventTime: null }], [], [{ name: 'q', rel }]);
  const found: (Value | null)[][] = [];
  const context: OperatorContext = {
    state: memoryState(), share: null, packFrom: Infinity, disk: null, memory: () => undefined, full: () => false, closed: () => undefined,
    counts: { filtered: () => undefined, late: () => undefined, failed: (_o, _b, i, code, message) => {
      if (!keep) throw new RowError(code, message);
      found.push([i, code, message]);
    } },
  };
  const graph = buildGraph(plan, context, new Map([['q', {
    push: (b: Batch) => {
      const cols = b.cols.map(c => plainColumn(c, b.length));
      for (let i = 0; i < b.length; i++) found.push(b.schema.map((f, j) => (b.nulls[j]?.[i] === 1 ? null : f.type.k === 'boolean' ? cols[j]?.[i] === 1 : cols[j]?.[i] as Value)));
    },
    watermark: () => undefined, finish: () => undefined,
  }]]), jit);
  for (const o of graph.operators) o.open();
  const input = graph.inputs.get('t');
  if (input === undefined) throw new PipeError('bug.unexpected', 'no input');
  const schema = plan.scans[0]?.schema ?? [];
  const cols = schema.map(f => { const c = newColumn(f.type, rows); for (let i = 0; i < rows; i++) (c as number[])[i] = i + 1; return c; });
  input.push({ schema, length: rows, cols, nulls: schema.map(() => null), wm: null, origin: null });
  input.finish();
  return found;
}
