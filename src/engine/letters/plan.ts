import type { CompiledPipeline } from '../../config/compile.ts';
import type { ReplayMark } from '../../state/store.ts';
import { type Letter, recordOf, unfit, type Unfit } from './letter.ts';
import type { Letters } from './letters.ts';

/** All that one record was kept as. */
export interface Kept {
  readonly letters: number[];
  readonly marks: ReplayMark[];
}

/** What a selection of dead letters comes to. */
export interface ReplayPlan {
  /** By record: each is sent once. */
  readonly records: Map<string, Kept>;
  /** Records by the topic that they go to. */
  readonly topics: ReadonlyMap<string, number>;
  readonly unfit: ReadonlyMap<Unfit, number>;
  readonly late: number;
  /** Letters of rows that one sink or its operators left out: other sinks may have counted the record. */
  readonly partial: number;
  /** What the selection names, by ref and by record. */
  readonly names: ReadonlySet<string>;
}

/** `to`: the topic that all go to, or null for the one that each was read from. */
export async function planReplay(letters: Letters, wanted: (l: Letter) => boolean, { spec }: CompiledPipeline, to: string | null): Promise<ReplayPlan> {
  const records = new Map<string, Kept>();
  const topics = new Map<string, number>();
  const unfits = new Map<Unfit, number>();
  const names = new Set<string>();
  // without joins, a sink has a chain of its own from one source
  const several = spec.sinks.length > 1;
  let late = 0;
  let partial = 0;
  for await (const l of letters.all()) {
    if (!wanted(l)) continue;
    const record = recordOf(l);
    names.add(l.ref).add(record);
    const why = unfit(l);
    if (why !== null) {
      unfits.set(why, (unfits.get(why) ?? 0) + 1);
      continue;
    }
    if (l.code === 'user.data.late') late++;
    if (several && (l.operator !== null || l.place !== null || l.code === 'user.data.late')) partial++;
    if (records.has(record)) continue;
    records.set(record, { letters: [], marks: [] });
    const topic = to ?? l.topic;
    topics.set(topic, (topics.get(topic) ?? 0) + 1);
  }
  // a record that is sent again is judged anew: whatever else it was kept as goes, too
  for await (const l of letters.all()) {
    const kept = l.partition < 0 ? undefined : records.get(recordOf(l));
    if (l.id !== null) kept?.letters.push(l.id);
    if (l.mark !== null) kept?.marks.push(l.mark);
  }
  return { records, topics, unfit: unfits, late, partial, names };
}
