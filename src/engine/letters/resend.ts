import { randomBytes } from 'node:crypto';
import type { Log } from '../../connectors/connector.ts';
import { PipeError } from '../../errors.ts';
import { plural } from '../../numbers.ts';
import { isState } from '../../state/file.ts';
import { openStateStore } from '../../state/sqlite.ts';
import type { StateStore } from '../../state/store.ts';
import { recover } from '../recovery.ts';
import { Replayer } from '../replay.ts';
import { replayHeader } from '../replayed.ts';
import { recordOf, unfit, type Letter } from './letter.ts';
import { Letters, type Place } from './letters.ts';
import { planReplay, type ReplayPlan } from './plan.ts';

/** Which dead letters are to be sent again. */
export interface Selected {
  readonly wanted: (l: Letter) => boolean;
  /** The topic that all go to; null: the one that each was read from. */
  readonly to: string | null;
  /** Looks at what that comes to before anything is sent; throws where it is not what was meant. */
  check(plan: ReplayPlan): void;
  readonly signal: AbortSignal;
}

/** What `resend` would send. Throws system.sink.topic_missing. */
export async function wouldResend(place: Place, s: Selected): Promise<ReplayPlan> {
  const plan = await planned(place, s);
  await partitionsOf(plan, place.log);
  return plan;
}

/** Sends dead letters to their topic again, each once, as deliveries of their pipeline; they are no dead letters then. Throws as openStopped, and system.sink.*. */
export async function resend(place: Place, s: Selected): Promise<{ readonly plan: ReplayPlan; readonly sent: number }> {
  const store = openStopped(place);
  try {
    return await resendFrom(store, place, s);
  } finally {
    store.close();
  }
}

/** The state of a pipeline that has run and does not run now. Throws system.state.locked when it does, user.usage.bad_value when it has not. */
export function openStopped({ compiled: { spec }, log, state }: Pick<Place, 'compiled' | 'log' | 'state'>): StateStore {
  try {
    const store = isState(state) ? openStateStore({ path: state, pipeline: spec.name, logId: log.id, reset: false }) : null;
    if (store !== null && !store.fresh) return store;
    store?.close();
    throw new PipeError('user.usage.bad_value', `pipeline "${spec.name}" has not run since its state began`, { hint: 'run it once: what is done to dead letters is kept in its state' });
  } catch (error) {
    if (!(error instanceof PipeError) || error.code !== 'system.state.locked') throw error;
    throw new PipeError(error.code, error.message, { hint: 'its state has one writer: stop it, do this, and start it again, it goes on where it stopped', retriable: true, cause: error });
  }
}

async function resendFrom(store: StateStore, place: Place, s: Selected): Promise<{ readonly plan: ReplayPlan; readonly sent: number }> {
  const { log, compiled: { spec } } = place;
  const delivery = log.delivery({
    pipeline: spec.name, idPrefix: spec.settings.kafka.idPrefix, stateId: store.stateId, ownerId: randomBytes(9).toString('base64url'),
    exactlyOnce: spec.settings.delivery === 'exactly-once', takeOver: false,
  });
  const close = (): void => { void delivery.close(); };
  s.signal.addEventListener('abort', close);
  try {
    // before dead letters are read: those of a replay that was cut short may be gone
    await recover({ pipeline: spec.name, store, delivery, resume: null });
    const plan = await planned(place, s);
    const partitions = await partitionsOf(plan, log);
    const replayer = new Replayer(store, delivery, partitions);
    await send(place, s, plan, partitions, replayer);
    return { plan, sent: replayer.sent };
  } finally {
    s.signal.removeEventListener('abort', close);
    await delivery.close();
  }
}

async function planned(place: Place, { wanted, to, check, signal }: Selected): Promise<ReplayPlan> {
  const letters = await Letters.open(place, signal);
  try {
    const plan = await planReplay(letters, wanted, place.compiled, to);
    check(plan);
    return plan;
  } finally {
    letters.close();
  }
}

async function send(place: Place, { to, signal }: Selected, plan: ReplayPlan, partitions: ReadonlyMap<string, number>, replayer: Replayer): Promise<void> {
  const letters = await Letters.open(place, signal);
  const left = new Map(plan.records);
  try {
    for await (const l of letters.all()) {
      const record = recordOf(l);
      const kept = left.get(record);
      if (kept === undefined || unfit(l) !== null) continue;
      left.delete(record);
      await replayer.add({
        topic: to ?? l.topic, partition: to === null && l.partition < (partitions.get(l.topic) as number) ? l.partition : null, key: l.key, value: l.value,
        headers: [replayHeader(place.compiled.spec.name, l.topic, l.partition, l.offset)], timestamp: l.timestamp ?? Date.now(),
      }, kept.letters, kept.marks);
    }
    await replayer.flush();
  } catch (error) {
    throw cutShort(error, replayer.sent, plan.records.size);
  } finally {
    letters.close();
  }
}

/** What was settled is not sent again; what was on its way is asked of the log by whoever comes next. */
function cutShort(error: unknown, sent: number, of: number): unknown {
  if (!(error instanceof PipeError)) return error;
  return new PipeError(error.code, `${error.message}; ${sent} of ${plural(of, 'record')} are known to be sent`, { hint: `${error.hint === undefined ? '' : `${error.hint}; `}the same command goes on where this one stopped`, cause: error });
}

/** Throws system.sink.topic_missing. */
async function partitionsOf(plan: ReplayPlan, log: Log): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const topic of plan.topics.keys()) {
    const info = await log.topic(topic);
    if (info === null) throw new PipeError('system.sink.topic_missing', `topic "${topic}" does not exist on the ${log.label}`, { hint: `create it: pipe topics create ${topic} --partitions 3` });
    found.set(topic, info.partitions.length);
  }
  return found;
}
