import { RowError } from '../errors.ts';
import type { Batch } from '../engine/batch.ts';
import type { Expr } from '../sql/bound.ts';
import type { WindowSpec } from '../sql/windows/define.ts';
import { interpret } from './interpret.ts';

/** Finds where row i fails: the closures evaluate it again and mark the call that throws. Only failed rows pay for it. */
export function locator(exprs: readonly Expr[], window: WindowSpec | null, width: number): (b: Batch, i: number, error: RowError) => RowError {
  const closures = exprs.map(e => interpret(e, width));
  const row = (b: Batch, i: number, extra: readonly number[]): void => { for (const c of closures) c(b, i, extra); };
  return (b, i, error) => {
    if (error.at !== null) return error;
    try {
      if (window === null) row(b, i, [0, 0, 0]);
      else window.def.each((b.cols[window.time] as Float64Array)[i] as number, window.ms, (start, end) => row(b, i, [start, end, end - 1]));
    } catch (again) {
      if (again instanceof RowError) return again;
    }
    return error;
  };
}
