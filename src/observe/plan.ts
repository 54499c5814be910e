/** What `pipe explain` shows, as data: the same for text, json and mermaid. Append-only. */
export interface Explained {
  readonly v: 1;
  readonly pipeline: string;
  readonly file: string;
  readonly delivery: string;
  readonly checkpoint_ms: number;
  readonly sources: readonly ExplainedSource[];
  readonly operators: readonly ExplainedOperator[];
  readonly sinks: readonly ExplainedSink[];
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

export interface ExplainedSource {
  readonly id: string;
  readonly name: string;
  readonly topic: string;
  readonly format: string;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly read: boolean }[];
  readonly event_time: { readonly column: string; readonly from: string; readonly unit: string | null; readonly delay_ms: number; readonly idle_ms: number; readonly max_future_ms: number } | null;
  readonly watermark: string | null;
  readonly on_error: string;
}

export interface ExplainedOperator {
  readonly id: string;
  readonly input: string;
  readonly kind: 'select' | 'aggregate';
  /** What it does, a line each, in words of the SQL. */
  readonly does: readonly string[];
  readonly state: { readonly table: string; readonly row_per: string; readonly columns: readonly string[]; readonly bytes_per_row: number } | null;
  readonly emits: string;
  readonly output: readonly string[];
}

export interface ExplainedSink {
  readonly name: string;
  readonly input: string;
  readonly topic: string;
  readonly format: string;
  readonly key: readonly string[];
  readonly columns: readonly string[];
}

/** What a pipeline does, with the SQL that it comes from. Append-only. */
export interface PlanReport extends Explained {
  readonly sql: readonly QueryReport[];
  /** By id of the operator: what of which query it does, as [start, end) in the text of that query; empty where only its words are known. */
  readonly parts: Readonly<Record<string, { readonly query: string; readonly ranges: readonly (readonly [start: number, end: number])[] }>>;
}

export interface QueryReport {
  /** Name of the step or sink. */
  readonly query: string;
  readonly text: string;
  /** Of its first line in the file, from 1. */
  readonly line: number;
}
