import { grouped } from '../../numbers.ts';
import type { HistogramReport } from '../../observe/job.ts';
import { percent, seconds } from '../format.ts';

const WIDTH = 600;
const HEIGHT = 120;

/** Bars of the buckets that are in use; empty ones before and behind are left out. */
export function Histogram({ data, label }: { readonly data: HistogramReport; readonly label: string }) {
  const used = data.counts.flatMap((n, i) => (n > 0 ? [i] : []));
  const first = Math.max(0, (used[0] ?? 0) - 1);
  const last = Math.min(data.counts.length - 1, (used.at(-1) ?? 0) + 1);
  const buckets = data.counts.slice(first, last + 1).map((n, i) => ({ n, until: data.le[first + i], from: data.le[first + i - 1] ?? 0 }));
  const top = Math.max(1, ...buckets.map(b => b.n));
  const step = WIDTH / buckets.length;
  const every = Math.ceil(buckets.length / 8);
  const range = (b: typeof buckets[number]): string => (b.until === undefined ? `above ${seconds(b.from)}` : `${b.from === 0 ? '0' : seconds(b.from)} to ${seconds(b.until)}`);
  return <div class="histogram">
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 26}`} role="img" aria-label={`${label}: ${buckets.filter(b => b.n > 0).map(b => `${range(b)}: ${grouped(b.n)}`).join('; ')}`}>
      {buckets.map((b, i) => {
        const height = b.n === 0 ? 0 : Math.max(2, (HEIGHT - 4) * b.n / top);
        return <g key={b.from}><title>{`${range(b)}: ${grouped(b.n)} (${percent(b.n / data.count)})`}</title>
          <rect class="room" x={i * step} y={0} width={step} height={HEIGHT} />
          <rect class="column" x={i * step + 2} y={HEIGHT - height} width={Math.max(1, step - 4)} height={height} rx={2} />
          {i % every === 0 && b.until !== undefined ? <text x={(i + 1) * step} y={HEIGHT + 19} text-anchor={i === buckets.length - 1 ? 'end' : 'middle'}>{seconds(b.until)}</text> : null}
        </g>;
      })}
      <path class="base" d={`M0 ${HEIGHT}H${WIDTH}`} />
    </svg>
  </div>;
}
