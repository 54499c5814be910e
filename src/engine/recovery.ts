import type { Delivery } from '../connectors/connector.ts';
import { PipeError } from '../errors.ts';
import { failpoint } from '../failpoint.ts';
import { WAYS_OUT, type OutBlock, type Position, type Replay, type Saved, type StateStore } from '../state/store.ts';
import { openBlock } from './block.ts';

/** Next offset by topic and partition. */
export type Offsets = ReadonlyMap<string, ReadonlyMap<number, number>>;

export interface RecoveryOptions {
  readonly pipeline: string;
  readonly store: StateStore;
  readonly delivery: Delivery;
  /** What becomes of an epoch of which nobody knows whether it was delivered; null refuses to guess. */
  readonly resume: 'resend' | 'skip' | null;
}

/**
 * Resends or forgets what the last process left in the outbox, and settles a replay that it had begun. Returns what is saved then.
 * Throws system.sink.unknown_outcome, system.sink.fenced, system.state.foreign and rolled_back.
 */
export async function recover(o: RecoveryOptions): Promise<Saved> {
  const { store, delivery } = o;
  failpoint('recover.before');
  const replay = store.letters.pending();
  const before = store.saved();
  const blocks = store.outbox();
  const owed = replay === null && blocks.length > 0 ? byTopic(before.positions) : null;
  const last = await delivery.recover(Math.max(before.delivery, replay?.epoch ?? 0), owed);
  if (replay !== null) store.letters.settle(wasSent(o, replay, last));
  const saved = store.saved();
  // those of this process are sent as they are; what was on disk is looked at first
  for (const b of blocks) checkBlock(b);
  const resend = isOwed(o, saved, blocks, last);
  if (resend) failpoint('recover.resend.before');
  // the marker gets our owner id right away, with the epoch that the log missed or alone
  if (resend || saved.positions.length > 0) await delivery.commit({ number: saved.delivery, blocks: resend ? blocks : [], offsets: byTopic(saved.positions) });
  if (resend) failpoint('recover.resend.after');
  store.clearOutbox();
  return saved;
}

/** Throws system.state.corrupt when the bytes are not those that were saved. */
function checkBlock({ data, topic, partition }: OutBlock): void {
  try {
    openBlock(data, topic, partition, 0, null);
  } catch (cause) {
    throw new PipeError('system.state.corrupt', `the state file is damaged: output for ${topic}/${partition} that was not delivered yet has changed in it`, { cause, hint: WAYS_OUT });
  }
}

/** Whether the log lacks the epoch that lies in the outbox. */
function isOwed(o: RecoveryOptions, saved: Saved, blocks: readonly OutBlock[], last: number | null): boolean {
  if (blocks.length === 0) {
    if (last !== null && last < saved.delivery && o.delivery.markerMayLag !== true) throw olderLog(o, saved, last);
    return false;
  }
  if (last !== null) return last < saved.delivery;
  // no marker: nothing was ever delivered, or the marker has expired
  if (deliveries(saved) <= 1) return true;
  return judged(o, `epoch ${saved.delivery}`, 'pipe run --resume resend sends it (once more, perhaps), --resume skip takes it as delivered') === 'resend';
}

/** An outbox is emptied when its epoch is in the log: one that is gone from there again was lost by the log. */
const olderLog = ({ pipeline }: RecoveryOptions, saved: Saved, last: number): PipeError =>
  new PipeError('system.state.rolled_back', `the log has delivery ${last} of pipeline "${pipeline}", but ${saved.delivery} had arrived: the log is an older copy`, {
    hint: 'put the newer log back, or the state of the same backup (pipe state restore), or start again with --reset-state: it reads from the start, and sends its rows a second time',
  });

/** Nobody can send the replay any more: the marker was read by its new owner. */
function wasSent(o: RecoveryOptions, replay: Replay, last: number | null): boolean {
  if (last !== null) return last >= replay.epoch;
  if (deliveries(o.store.saved()) === 0) return false;
  return judged(o, `a replay of ${replay.records} dead letters`, 'pipe run --resume resend keeps them as dead letters, --resume skip takes them as sent') === 'skip';
}

function judged({ pipeline, resume }: RecoveryOptions, what: string, hint: string): 'resend' | 'skip' {
  if (resume !== null) return resume;
  throw new PipeError('system.sink.unknown_outcome', `pipeline "${pipeline}" was stopped while ${what} was on its way, and the log no longer knows whether it arrived`, { hint });
}

/** How many epochs had output since the state began. */
export const deliveries = (saved: Saved): number => saved.counters.get('deliveries') ?? 0;

export function byTopic(positions: Iterable<Position>): Offsets {
  const topics = new Map<string, Map<number, number>>();
  for (const p of positions) {
    const partitions = topics.get(p.topic) ?? new Map<number, number>();
    // two sources may read one topic: the log gets the lower position
    partitions.set(p.partition, Math.min(p.next, partitions.get(p.partition) ?? Infinity));
    topics.set(p.topic, partitions);
  }
  return topics;
}
