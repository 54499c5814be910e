import { compilePipeline, type CompiledPipeline } from '../../src/config/compile.ts';
import { loadPipeline } from '../../src/config/load.ts';
import type { Batch } from '../../src/engine/batch.ts';
import { buildGraph } from '../../src/engine/build.ts';
import type { Graph } from '../../src/engine/graph.ts';
import type { OperatorContext } from '../../src/engine/operator.ts';
import type { RecordBatch } from '../../src/engine/records.ts';
import { memoryState } from '../state/memory.ts';

/** `sql` over `a` (k STRING, v BIGINT, at BIGINT; event time `ts` of `at`) as the one sink `out`. */
export const pipelineOf = (sql: string, more = ''): CompiledPipeline => compilePipeline(loadPipeline('/nowhere/p.yaml', {
  env: {}, root: '/nowhere', text: `name: p\nsources:\n  a:\n    schema: {k: STRING, v: BIGINT, at: BIGINT}\n    event_time: {from: at, unit: ms, as: ts, delay: 0s}\n${more}sinks:\n  out:\n    sql: |\n      ${sql}\n`,
}));

export interface Made {
  readonly graph: Graph;
  /** Batches that reached the sink. */
  readonly out: Batch[];
  /** Rows of the input that were late. */
  readonly late: number[];
}

export function graphOf(c: CompiledPipeline, jit: boolean, more: Partial<OperatorContext> = {}): Made {
  const out: Batch[] = [];
  const late: number[] = [];
  const graph = buildGraph(c.plan, {
    state: memoryState(), share: null, disk: null, packFrom: Infinity, memory: () => undefined, full: () => false, closed: () => undefined,
    counts: { filtered: () => undefined, late: (_o, _b, i) => { late.push(i); }, failed: (_o, _b, _i, code, message) => { throw new Error(`${code} ${message}`); } }, ...more,
  }, new Map([['out', { push: b => { out.push({ ...b, wm: b.wm?.slice(0, b.length) ?? null, origin: b.origin === null ? null : { ...b.origin, rows: b.origin.rows.slice(0, b.length) } }); }, watermark: () => undefined, finish: () => undefined }]]), jit);
  for (const o of graph.operators) o.open();
  return { graph, out, late };
}

/** A batch for the scan of a pipeline; columns that it does not read are left out. `wm` is the watermark before each row. */
export function batchFor(c: CompiledPipeline, rows: readonly { readonly k?: string; readonly v?: number | null; readonly at: number; readonly wm?: number }[], records: RecordBatch | null = null): Batch {
  const schema = c.plan.scans[0]?.schema ?? [];
  const value = (name: string, r: (typeof rows)[number]): string | number => (name === 'k' ? r.k ?? 'k' : name === 'v' ? r.v ?? 0 : r.at);
  return {
    schema, length: rows.length,
    cols: schema.map(f => { const list = rows.map(r => value(f.name, r)); return f.name === 'ts' ? Float64Array.from(list as number[]) : list as string[]; }),
    nulls: schema.map(f => (f.name === 'v' ? Uint8Array.from(rows, r => (r.v === null ? 1 : 0)) : null)),
    wm: Float64Array.from(rows, r => r.wm ?? -Infinity), origin: records === null ? null : { records, rows: Int32Array.from(rows, (_, i) => i) },
  };
}

/** Column `j` of all batches. */
export const column = (out: readonly Batch[], j: number): unknown[] => out.flatMap(b => Array.from({ length: b.length }, (_, i) => (b.nulls[j]?.[i] === 1 ? null : (b.cols[j] as unknown[])[i])));
