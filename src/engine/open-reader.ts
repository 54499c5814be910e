import type { SourceSpec } from '../config/spec.ts';
import { PipeError } from '../errors.ts';
import type { Scan } from '../plan/physical.ts';
import type { Meters } from './meters.ts';
import type { Output } from './operator.ts';
import type { Accounting } from './ports.ts';
import type { RuntimeParts } from './runtime-parts.ts';
import { decodeColumns, leadOf } from './scan.ts';
import { SourceReader } from './source-reader.ts';
import { TimeUnitCheck } from './time-unit.ts';
import { EventTime } from './watermark.ts';

export interface ReaderUse {
  readonly accounting: Accounting;
  readonly meters: Meters;
  /** Where rows and watermarks go. */
  readonly input: Output;
  readonly lastOpenEnd: () => number | null;
  /** Batches of the usual size that a poll may give at once. */
  readonly appetite: number;
  /** Records are left as their log keeps them, for other threads. */
  readonly packed: boolean;
  /** The reader of this run that this one goes on for; null: it is the first. */
  readonly before: SourceReader | null;
}

/** Opens the source of a scan where it stopped. Throws system.source.*. */
export async function openReader({ spec, plan, formats, store, clock, options, notices, source: make }: RuntimeParts, scan: Scan, u: ReaderUse): Promise<SourceReader> {
  const source = spec.sources.find(s => s.name === scan.source) as SourceSpec;
  const format = formats.find(source.format);
  if (format?.decoder === undefined) throw new PipeError('user.config.bad_value', `format "${source.format}" cannot be read`, { span: source.nameSpan });
  const saved = store.saved();
  const positions = saved.positions.filter(p => p.source === source.name);
  const input = make({
    topic: source.topic, topicId: positions[0]?.topicId ?? null, positions: new Map(positions.map(p => [p.partition, p.next])),
    from: options.from ?? source.start, onDataLoss: source.onDataLoss, appetite: u.appetite, packed: u.packed,
  });
  const { eventTime } = source;
  const eventClock = eventTime === null || scan.time === null ? null
    : u.before?.clock ?? new EventTime({ delay: eventTime.delay, idle: eventTime.idle, maxFuture: eventTime.maxFuture, following: options.following }, clock, saved.watermarks.get(source.name) ?? -Infinity);
  const reader = new SourceReader({
    name: source.name, source: input, input: u.input, following: options.following, ends: u.before?.ends() ?? null, batchRows: options.batchRows, lead: leadOf(plan, scan), counts: u.accounting,
    decoder: format.decoder(decodeColumns(plan, scan, source), { topic: source.topic, maxRecordBytes: spec.settings.maxRecordBytes, generated: options.jit && options.decoder === 'fast' }),
    unitCheck: u.before !== null || eventTime === null || eventTime.unit === null || eventTime.unit === 'iso' ? null : new TimeUnitCheck(eventTime.from, eventTime.unit),
    warn: message => notices.warn(`${spec.name}: ${message}`),
    time: eventClock === null ? null : { column: scan.time as number, clock: eventClock },
    lastOpenEnd: u.lastOpenEnd, meters: { all: u.meters, own: u.meters.of(scan.id) },
  });
  try {
    await input.open();
  } catch (error) {
    await input.close();
    throw error;
  }
  reader.begin(positions);
  return reader;
}
