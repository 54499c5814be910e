import type { CompiledPipeline } from '../config/compile.ts';
import { checkCut, workOf } from '../engine/backfill-work.ts';
import { planChange, refusals, isRefused } from '../engine/plan-change.ts';
import { PipeError } from '../errors.ts';
import type { Fate, OperatorFate, PartFate, PlanChange } from '../plan/compare.ts';
import { isState } from '../state/file.ts';
import { StateReader } from '../state/reader.ts';
import type { Position } from '../state/store.ts';
import { plural } from '../numbers.ts';
import { fit, width } from './text-width.ts';

/** What `pipe explain --diff` shows, as data. Append-only. */
export interface Diff {
  readonly v: 1;
  readonly pipeline: string;
  /** 'embedded' or the Kafka cluster id. */
  readonly log: string;
  /** Path of the state file; null: there is none, or it was never committed. */
  readonly state: string | null;
  readonly epoch: number;
  /** What the next run does: start, go on, or refuse. */
  readonly next: 'starts' | 'goes on' | 'refused';
  readonly parts: readonly DiffPart[];
  readonly problems: readonly string[];
  readonly ways_out: readonly string[];
  /** Why --backfill would be refused, too; null: it would not. */
  readonly backfill_refused: string | null;
}

export interface DiffPart {
  readonly kind: 'source' | 'operator' | 'sink';
  readonly name: string;
  readonly fate: Fate;
  /** Its name in the saved state where that is another one. */
  readonly was: string | null;
  /** What the next run does with it. */
  readonly next: string;
  /** What differs, a line each: `saved: ..`, `now:   ..`. */
  readonly differs: readonly string[];
}

/** Positions of so many partitions are shown. */
const SHOWN = 8;

const BACKFILL = 'pipe run --backfill: what changed is built again from its topics, what is gone is dropped, the rest goes on';

const waysOut = (refused: string | null): string[] => [
  'put it back as it was', refused === null ? BACKFILL : `${BACKFILL}; not before a run of the file as it was`,
  'pipe run --reset-state: all of it starts again, and rows are sent a second time',
];

/** Compares a pipeline with the state at `path`, which may be in use. Throws system.state.corrupt, foreign and newer, system.source.unreachable. */
export function diff({ spec, plan }: CompiledPipeline, log: string, path: string): Diff {
  const none: Diff = { v: 1, pipeline: spec.name, log, state: null, epoch: 0, next: 'starts', parts: [], problems: [], ways_out: [], backfill_refused: null };
  if (!isState(path)) return none;
  const reader = new StateReader(path);
  try {
    const epoch = reader.epoch();
    if (epoch === 0) return none;
    const positions = reader.positions();
    const change = planChange(spec, plan, reader, positions);
    const problems = refusals(spec, change).map(p => (p.message.split('\n') as [string])[0]);
    const refused = problems.length > 0;
    const cut = backfillRefused(change, plan, reader);
    return { ...none, state: path, epoch, next: refused ? 'refused' : 'goes on', parts: partsOf(change, positions), problems, ways_out: refused ? waysOut(cut) : [], backfill_refused: cut };
  } finally {
    reader.close();
  }
}

/** As the start of such a run would say it. */
function backfillRefused(change: PlanChange, plan: CompiledPipeline['plan'], state: StateReader): string | null {
  try {
    checkCut(change, workOf(plan, change), state);
    return null;
  } catch (error) {
    if (!(error instanceof PipeError) || error.code !== 'system.state.incompatible') throw error;
    return `${error.message}; ${error.hint}`;
  }
}

function partsOf(change: PlanChange, positions: readonly Position[]): DiffPart[] {
  const other = (name: string, was: string | null): string | null => (was === name ? null : was);
  const topics = (s: PartFate): string[] => (s.topicWas === null ? [] : [`saved: topic ${s.topicWas}`, `now:   topic ${s.topic}`]);
  return [
    ...change.sources.map((s): DiffPart => ({ kind: 'source', name: s.name, fate: s.fate, was: other(s.name, s.was), next: sourceNext(s, positions), differs: topics(s) })),
    ...change.operators.map((o): DiffPart => ({ kind: 'operator', name: o.id, fate: o.fate, was: other(o.id, o.was), next: operatorNext(o), differs: o.differs })),
    ...change.sinks.map((s): DiffPart => ({ kind: 'sink', name: s.name, fate: s.fate, was: other(s.name, s.was), next: sinkNext(s), differs: [...topics(s), ...s.differs ?? []] })),
  ];
}

function sourceNext(s: PartFate, positions: readonly Position[]): string {
  const at = positions.filter(p => p.source === s.was);
  switch (s.fate) {
    case 'kept': return `goes on at its saved positions (topic ${s.topic}, ${at.length > SHOWN ? plural(at.length, 'partition') : `${at.length === 1 ? 'offset' : 'offsets'} ${at.map(p => p.next).join(', ')}`})`;
    case 'new': return `begins where it says it starts (topic ${s.topic})`;
    case 'changed': return 'refused: its saved positions are of another topic; --backfill forgets them and begins where it starts';
    case 'gone': return `is not read; its positions in topic ${s.topic} stay, in case it comes back`;
  }
}

function operatorNext(o: OperatorFate): string {
  switch (o.fate) {
    case 'kept': return `${o.holds ? 'goes on with its open groups' : 'goes on; no group is open'}${o.partial === true ? '; it lacks what was read before it began: --backfill builds it from the topic' : ''}`;
    case 'new': return 'starts empty: its first windows lack what was read before; --backfill builds it from the topic';
    case 'changed': return isRefused(o) ? 'refused: its open groups mean something else; --backfill builds them again from the topic' : 'starts empty, no group is open: its first windows lack what was read before; --backfill builds it from the topic';
    case 'gone': return isRefused(o) ? 'refused: nobody goes on with its open groups; --backfill drops them' : 'is forgotten; no group is open';
  }
}

function sinkNext(s: PartFate): string {
  switch (s.fate) {
    case 'kept': return `goes on (topic ${s.topic})`;
    case 'new': return `gets rows from here on (topic ${s.topic}); --backfill sends those of its history, too`;
    case 'changed': return `rows from here on are those of the file as it is now (topic ${s.topic})`;
    case 'gone': return `gets no more rows (topic ${s.topic} is left as it is)`;
  }
}

export function diffText(d: Diff, file: string): string {
  if (d.state === null) return `${file} · no saved state on ${d.log}: the next run starts it\n`;
  const name = (p: DiffPart): string => (p.was === null ? p.name : `${p.name} (was ${p.was})`);
  const widest = Math.max(...d.parts.map(p => width(name(p))));
  const lines = [`${file} · compared with ${d.state} · epoch ${d.epoch}`];
  for (const p of d.parts) lines.push(`${p.kind.toUpperCase().padEnd(8)} ${fit(name(p), widest)}  ${p.fate.padEnd(7)}  ${p.next}`, ...p.differs.map(l => `     ${l}`));
  lines.push(`next run: ${d.next}${d.next === 'refused' ? ' (exit code 33)' : ''}`, ...(d.backfill_refused === null ? [] : [`--backfill: refused (exit code 33): ${d.backfill_refused}`]), ...d.ways_out.map((w, i) => `${i === 0 ? 'ways out: ' : '          '}${w}`));
  return `${lines.join('\n')}\n`;
}
