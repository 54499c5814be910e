import type { PipelineSpec } from '../config/spec.ts';
import type { JobReport, OperatorReport, SinkReport, SourceReport } from '../observe/job.ts';
import type { PhysicalPlan } from '../plan/physical.ts';
import type { RunContext } from './context.ts';
import { sinkId, topicId, type Meters } from './meters.ts';
import type { Operator } from './operator.ts';
import type { Accounting } from './ports.ts';
import type { RunCounts } from './progress.ts';
import type { SourceReader } from './source-reader.ts';

/** The part of a report that the engine knows. */
export type Observation = {
  readonly sources: readonly Omit<SourceReport, 'per_s'>[];
  readonly operators: readonly Omit<OperatorReport, 'in_per_s' | 'out_per_s'>[];
  readonly sinks: readonly Omit<SinkReport, 'per_s'>[];
} & Pick<JobReport, 'restarts' | 'run' | 'totals' | 'lag' | 'epoch' | 'last_commit_at' | 'keys' | 'memory_bytes' | 'disk_bytes' | 'dead' | 'problems' | 'latency' | 'window_close' | 'commit' | 'delivery'>;

export interface Observed {
  readonly spec: PipelineSpec;
  readonly plan: PhysicalPlan;
  readonly readers: readonly SourceReader[];
  /** None where threads have them. */
  readonly operators: readonly Operator[];
  readonly meters: Meters;
  readonly accounting: Accounting;
  /** null where threads hold the state. */
  readonly context: RunContext | null;
  /** This thread has done all the work so far. */
  readonly here: boolean;
  /** Of all threads. */
  readonly shared: { readonly keys: number; readonly memory: number } | null;
  /** The last one of the run before. */
  readonly epoch: number;
}

/** Windows of an operator that are named. */
const WINDOWS = 50;

/** How a running pipeline stands. Shares of time are since the last call, so that one observer calls it, about once a second. */
export function observe(o: Observed): Observation {
  const { plan, spec, meters, accounting, context, here, shared } = o;
  const now = performance.now();
  const tallies = accounting.tallies();
  const sources: Observation['sources'] = o.readers.map(r => {
    const meter = meters.of(sourceId(plan, r.name));
    return {
      id: sourceId(plan, r.name), name: r.name, topic: r.source.topic.name, records: meter.rows, bytes: meter.bytes, busy: here ? meter.busy(now) : null,
      event_time: r.watermark !== null, watermark: finite(r.watermark), lag: r.lag(), holder: r.holder(), partitions: r.places(),
    };
  });
  const rowsInto = (id: string): number | null => {
    const reader = plan.operators.find(x => x.input === id)?.id ?? plan.sinks.filter(w => w.input === id).map(w => sinkId(w.sink))[0];
    return here && reader !== undefined ? meters.of(reader).rows : null;
  };
  const operators: Observation['operators'] = plan.operators.map(p => {
    const meter = meters.of(p.id);
    const running = o.operators.find(x => x.id === p.id);
    const windows = running?.windows(WINDOWS) ?? null;
    return {
      id: p.id, rows_in: here ? meter.rows : null, rows_out: rowsInto(p.id), filtered: tallies.filtered.get(p.id) ?? 0, late: tallies.late.get(p.id) ?? 0, failed: tallies.failed.get(p.id) ?? 0,
      busy: here ? meter.busy(now) : null, busy_ms: here ? meter.ms : null, watermark: finite(meter.watermark), keys: p.k === 'aggregate' ? running?.keys() ?? shared?.keys ?? 0 : null,
      memory_bytes: context?.memoryOf(p.id) ?? (p.k === 'aggregate' ? shared?.memory ?? 0 : 0), disk_bytes: context?.disk?.bytesOf(p.id) ?? 0, open_windows: windows?.open ?? (here || p.k !== 'aggregate' ? 0 : null), windows: windows?.first ?? [],
    };
  });
  const run = accounting.counts();
  const { keys, memory } = shared ?? { keys: o.operators.reduce((n, x) => n + x.keys(), 0), memory: context?.used ?? 0 };
  return {
    restarts: tallies.restarts, run, totals: totals(run, accounting.counters()), lag: sources.reduce((n, s) => n + s.lag, 0), epoch: meters.epoch ?? o.epoch, last_commit_at: meters.committedAt,
    keys, memory_bytes: memory, disk_bytes: context?.disk?.bytes ?? 0, sources, operators,
    sinks: plan.sinks.map(w => {
      const topic = spec.sinks.find(s => s.name === w.sink)?.topic ?? '';
      return { name: w.sink, topic, rows: tallies.rows.get(w.sink) ?? 0, bytes: meters.of(topicId(topic)).bytes, busy: here ? meters.of(sinkId(w.sink)).busy(now) : null };
    }),
    dead: [...tallies.dead].map(([code, n]) => ({ code, n })).sort((x, y) => y.n - x.n), problems: tallies.problems.toReversed(),
    latency: meters.latency.report(), window_close: meters.windowClose.report(), commit: meters.commit.report(), delivery: meters.delivery.report(),
  };
}

const sourceId = (plan: PhysicalPlan, source: string): string => plan.scans.find(s => s.source === source)?.id ?? source;
const finite = (ms: number | null): number | null => (ms === null || !Number.isFinite(ms) ? null : ms);

function totals(run: RunCounts, counters: ReadonlyMap<string, number>): RunCounts {
  const all = (name: keyof RunCounts): number => counters.get(name) ?? run[name];
  return { records_in: all('records_in'), rows_out: all('rows_out'), filtered: all('filtered'), late: all('late'), future: all('future'), undecodable: all('undecodable'), failed: all('failed') };
}
