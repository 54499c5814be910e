const POINTS = 120;

/** Means of equal stretches: a line of ten minutes has more seconds than pixels. */
function thin(values: readonly number[]): number[] {
  const step = Math.max(1, values.length / POINTS);
  const out: number[] = [];
  for (let from = 0; from < values.length; from += step) {
    const part = values.slice(Math.floor(from), Math.max(Math.floor(from) + 1, Math.floor(from + step)));
    out.push(part.reduce((a, b) => a + b, 0) / part.length);
  }
  return out;
}

interface Props {
  /** Oldest first. */
  readonly values: readonly number[];
  /** As many as fill the width. */
  readonly full: number;
  readonly label: string;
  readonly tone: 'in' | 'out';
}

/** The last ten minutes of a rate. */
export function Sparkline({ values, full, label, tone }: Props) {
  const points = thin(values);
  const top = Math.max(1e-9, ...points);
  const width = (100 * Math.min(values.length, full)) / full;
  const x = (i: number): string => (100 - width + (points.length < 2 ? width : (i * width) / (points.length - 1))).toFixed(2);
  const line = points.map((v, i) => `${i === 0 ? 'M' : 'L'}${x(i)} ${(27 - (25 * v) / top).toFixed(2)}`).join('');
  return <svg class={`sparkline ${tone}`} viewBox="0 0 100 28" preserveAspectRatio="none" role="img" aria-label={label}>
    <path class="base" d="M0 27.5H100" />
    {points.length === 0 ? null : <><path class="area" d={`${line}V28H${x(0)}Z`} /><path class="line" d={line} /></>}
  </svg>;
}
