import type { PipelineSpec } from '../config/spec.ts';
import type { Log } from '../connectors/connector.ts';
import type { RunCounts } from '../engine/progress.ts';
import type { Saved } from '../state/store.ts';
import { duration, grouped, plural } from '../numbers.ts';
import type { Parsed } from './command.ts';
import type { LogChoice } from './log-choice.ts';

/** The first line of a run: pipeline, log and why this one, how far it reads, where it goes on, from what to what. */
export function startLine(spec: PipelineSpec, log: Log, choice: LogChoice, following: boolean, saved: Saved | null, partitions: ReadonlyMap<string, number>): string {
  const sources = spec.sources.map(s => `${s.topic} (${plural(partitions.get(s.topic) ?? 0, 'partition')})`);
  const parts = [
    `${log.label} (${choice.origin})`, following ? 'following' : 'until-end',
    ...(saved === null ? [] : [`goes on where it stopped (epoch ${saved.epoch})`]),
    `${sources.join(', ')} → ${spec.sinks.map(s => s.topic).join(', ')}`,
  ];
  return `${spec.name}  ${parts.join(' · ')}`;
}

/** What a run came to, for machines. */
export function summaryData(name: string, log: Log, c: RunCounts, ms: number): object {
  const { records_in, rows_out, filtered, late, future, undecodable, failed } = c;
  return { v: 1, pipeline: name, log: log.id, records_in, rows_out, filtered, late, future, undecodable, failed, ms: Math.round(ms) };
}

/** The last line of a run; `complete` is false where it was to go on, to the end or for good, and was cut short; `file` is the pipeline's where its dead letters can be looked at. */
export function summaryLine(name: string, c: RunCounts, ms: number, complete: boolean, file: string | null): string {
  const bad = c.future + c.undecodable + c.failed;
  const kept = bad + c.late > 0 && file !== null ? ` · pipe dlq ls ${file}` : '';
  const hint = complete && allLate(c) ? `\n  hint: ${ALL_LATE}` : '';
  return `${name}  ${complete ? '✓' : '■ stopped before the end:'} ${grouped(c.records_in)} in · ${grouped(c.rows_out)} out · ${grouped(c.late)} late · ${plural(bad, 'bad record')} · ${duration(ms)}${kept}${hint}`;
}

const ALL_LATE = 'all that came was late: its windows have closed, and a closed window takes no more rows. Send later event times, or start again with --reset-state, which sends its rows a second time';

const allLate = (c: RunCounts): boolean => c.rows_out === 0 && c.late > 0 && c.late + c.filtered + c.future + c.undecodable + c.failed >= c.records_in;

/** Flags that say where a run has its log and its state, as they were given: commands that look at it want them, too. */
export const placeFlags = (p: Parsed): string[] => ['brokers', 'data-dir'].flatMap(f => { const v = p.text(f); return v === undefined ? [] : [`--${f} ${v}`]; });
