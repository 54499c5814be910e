import type { Batch } from '../engine/batch.ts';
import type { Stage } from '../plan/physical.ts';
import { nullable, type Expr } from '../sql/bound.ts';
import { reprOf, type Value } from '../sql/types.ts';
import { Emitter } from './emit.ts';
import { interpret } from './interpret.ts';
import { declareColumns, rowLoop, type StageHost, type StageLoop } from './loop.ts';
import { Writer } from './writer.ts';

/** The input column of a projection that is a text as it came: the loop leaves those out, the operator moves them, as bytes where they are bytes. */
export const movedText = (x: Expr, width: number): number | null => (x.k === 'col' && x.index < width && reprOf(x.type) === 'text' ? x.index : null);

/** Filter, window and projection fused into one generated loop over a batch of `width` columns. */
export function generateStage(s: Stage, width: number): { readonly loop: StageLoop; readonly source: string } {
  const w = new Writer();
  const e = new Emitter(w, width, ['ws', 'we', '(we - 1)']);
  const made = s.project.flatMap((x, j) => (movedText(x, width) === null ? [{ x, j }] : []));
  for (const { x, j } of made) w.line(`const o${j} = h.out[${j}]${nullable(x) ? `, m${j} = h.outNulls[${j}]` : ''};`);
  w.line('const rows = h.rows, capacity = h.capacity; let m = 0, filtered = 0;');
  const project = (): string => e.section(() => {
    for (const { x, j } of made) {
      const c = e.emit(x);
      w.line(`o${j}[m] = ${reprOf(x.type) === 'bool' ? `${c.v} ? 1 : 0` : c.v};${nullable(x) ? ` m${j}[m] = ${c.n ?? 'false'} ? 1 : 0;` : ''}`);
    }
    w.line('rows[m] = i; m++;');
  });
  rowLoop(w, () => {
    if (s.filter !== null) {
      const filter = s.filter;
      w.line(e.section(() => w.line(`if (!(${e.test(filter)})) { filtered++; continue; }`)));
    }
    if (s.window === null) w.line(project());
    else w.line(`const t = ${e.array(s.window.time)}[i];\n${s.window.def.eachJs('t', s.window.ms, (_ws, we) => `const we = ${we};\nif (m === capacity) { h.emit(b, m); m = 0; }\n${project()}`)}`);
  });
  w.line('if (filtered > 0) h.filtered(filtered);\nh.emit(b, m);');
  declareColumns(w, e.used());
  return { loop: w.compile<StageLoop>('stage', ['b', 'h']), source: w.source() };
}

/** The same loop over closures. */
export function interpretStage(s: Stage, width: number): StageLoop {
  const filter = s.filter === null ? null : interpret(s.filter, width);
  const made = s.project.flatMap((x, j) => (movedText(x, width) === null ? [{ value: interpret(x, width), j }] : []));
  const put = (h: StageHost, j: number, m: number, v: Value | null): void => {
    const nulls = h.outNulls[j] as Uint8Array | null;
    if (nulls !== null) nulls[m] = v === null ? 1 : 0;
    if (v !== null) (h.out[j] as unknown[])[m] = typeof v === 'boolean' ? (v ? 1 : 0) : v;
  };
  return (b: Batch, h: StageHost) => {
    let m = 0;
    let filtered = 0;
    const row = (i: number, extra: readonly number[]): void => {
      if (m === h.capacity) { h.emit(b, m); m = 0; }
      for (const { value, j } of made) put(h, j, m, value(b, i, extra));
      h.rows[m++] = i;
    };
    for (let i = 0; i < b.length; i++) {
      try {
        if (filter !== null && filter(b, i, []) !== true) filtered++;
        else if (s.window === null) row(i, []);
        else s.window.def.each((b.cols[s.window.time] as Float64Array)[i] as number, s.window.ms, (start, end) => row(i, [start, end, end - 1]));
      } catch (error) {
        h.failed(b, i, error);
      }
    }
    if (filtered > 0) h.filtered(filtered);
    h.emit(b, m);
  };
}
