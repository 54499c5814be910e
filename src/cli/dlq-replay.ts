import { randomBytes } from 'node:crypto';
import type { Log } from '../connectors/connector.ts';
import { checkTopicName } from '../connectors/topic-name.ts';
import { recover } from '../engine/recovery.ts';
import { Replayer } from '../engine/replay.ts';
import { replayHeader } from '../engine/replayed.ts';
import { PipeError } from '../errors.ts';
import { isState } from '../state/file.ts';
import { openStateStore } from '../state/sqlite.ts';
import type { StateStore } from '../state/store.ts';
import type { Command, Io, Parsed } from './command.ts';
import { recordOf, unfit } from './dlq-letter.ts';
import { checkCodes, dlqFlags, idsOf, Letters, onePipeline, selection, selectFlags, withPlace, type Place } from './dlq-letters.ts';
import { planReplay, type ReplayPlan } from './dlq-plan.ts';
import { plural } from '../numbers.ts';
import { harmless } from './text-width.ts';
import { say } from './topics-log.ts';

export const idFlag = { name: 'id', value: 'ID', many: true, summary: 'this one of dlq ls, or the record topic-partition-offset; several: --id 3,4' } as const;

export const dlqReplay: Command = {
  name: 'dlq replay',
  summary: 'sends dead letters to their topic again, each once, and takes them off the list; for a pipeline that does not run',
  usage: 'PIPELINE',
  examples: [
    ['pipe dlq replay fraud.yaml --code user.data.type', 'after the schema was mended'],
    ['pipe dlq replay fraud.yaml --id 17,18 --dry-run', 'says what would be sent'],
    ['pipe dlq replay fraud.yaml --all --to transactions-mended', 'to another topic'],
  ],
  flags: [
    { name: 'all', value: 'boolean', summary: 'all of them' }, idFlag, ...selectFlags,
    { name: 'to', value: 'TOPIC', summary: 'this topic instead of the one that each was read from' },
    { name: 'dry-run', value: 'boolean', summary: 'say what would be sent, and send nothing' },
    ...dlqFlags,
  ],
  notes: [
    'Key, value, partition and, on Kafka, timestamp are those of the record; headers are not kept, and pipe.replay says where it was read. A replay is a delivery',
    'of the pipeline: exactly once, also when it is killed in the middle, or at least once with settings.delivery: at-least-once on Kafka. Everybody who reads the',
    'topic gets the records again; run --backfill of the pipeline reads each once.',
  ],
  run: async (p, io) => {
    const compiled = await onePipeline(p, io, 'dlq replay', p.args);
    chosen(p, 'dlq replay', ['code', 'id', 'source', 'since']);
    const to = p.text('to');
    if (to !== undefined) checkTopicName(to);
    const wanted = selection(p, compiled);
    return withPlace(p, io, compiled, async place => {
      const plan = async (): Promise<ReplayPlan> => {
        const letters = await Letters.open(place, io.signal);
        try {
          return await planReplay(letters, wanted, compiled, to ?? null);
        } finally {
          letters.close();
        }
      };
      if (p.has('dry-run')) {
        const planned = checked(p, await plan());
        await partitionsOf(planned, place.log);
        done(p, io, place, planned, null);
        return 0;
      }
      const store = openStopped(place);
      try {
        await replay(p, io, place, store, plan);
      } finally {
        store.close();
      }
      return 0;
    });
  },
};

/** Throws user.usage.missing_argument unless flags say which letters: nobody means all of them by saying nothing. */
export function chosen(p: Parsed, command: string, flags: readonly string[]): void {
  const some = flags.some(f => p.has(f));
  if (!some && !p.has('all')) throw new PipeError('user.usage.missing_argument', `pipe ${command} needs to know which dead letters`, { hint: `${flags.map(f => `--${f}`).join(', ')}, or --all` });
  if (some && p.has('all')) throw new PipeError('user.usage.bad_value', `--all and --${flags.find(f => p.has(f)) as string} exclude each other`);
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

async function replay(p: Parsed, io: Io, place: Place, store: StateStore, plan: () => Promise<ReplayPlan>): Promise<void> {
  const { log, compiled: { spec } } = place;
  const delivery = log.delivery({
    pipeline: spec.name, idPrefix: spec.settings.kafka.idPrefix, stateId: store.stateId, ownerId: randomBytes(9).toString('base64url'),
    exactlyOnce: spec.settings.delivery === 'exactly-once', takeOver: false,
  });
  const close = (): void => { void delivery.close(); };
  io.signal.addEventListener('abort', close);
  try {
    // before dead letters are read: those of a replay that was cut short may be gone
    await recover({ pipeline: spec.name, store, delivery, resume: null });
    const planned = checked(p, await plan());
    const partitions = await partitionsOf(planned, log);
    const replayer = new Replayer(store, delivery, partitions);
    await send(p, io, place, planned, partitions, replayer);
    done(p, io, place, planned, replayer.sent);
  } finally {
    io.signal.removeEventListener('abort', close);
    await delivery.close();
  }
}

async function send(p: Parsed, io: Io, place: Place, plan: ReplayPlan, partitions: ReadonlyMap<string, number>, replayer: Replayer): Promise<void> {
  const to = p.text('to') ?? null;
  const letters = await Letters.open(place, io.signal);
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

/** Throws user.usage.bad_value when an --id names nothing, or there can be no such --code. */
function checked(p: Parsed, plan: ReplayPlan): ReplayPlan {
  const unknown = idsOf(p).filter(id => !plan.names.has(id));
  if (unknown.length > 0) throw new PipeError('user.usage.bad_value', `there is no dead letter ${unknown.join(', ')} that the flags would take`, { hint: `pipe dlq ls ${p.args[0]} --limit 20 lists them; what was replayed is no dead letter any more` });
  if (plan.names.size === 0) checkCodes(p);
  return plan;
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

const REASONS = {
  cut: 'of which the bytes were cut at 1 MB', not_kept: 'of which the full table kept no bytes', no_record: 'that are rows made of many records', other_source: 'of topics that this pipeline does not read',
} as const;

/** `sent` is null for a dry run. */
function done(p: Parsed, io: Io, { compiled: { spec }, log }: Place, plan: ReplayPlan, sent: number | null): void {
  const records = sent ?? plan.records.size;
  const letters = [...plan.records.values()].reduce((n, k) => n + k.letters.length + k.marks.length, 0);
  if (p.has('json')) {
    const refused = Object.fromEntries(Object.keys(REASONS).map(r => [r, plan.unfit.get(r as keyof typeof REASONS) ?? 0]));
    io.out.write(`${JSON.stringify({ v: 1, pipeline: spec.name, log: log.id, dry_run: sent === null, records, letters, topics: Object.fromEntries(plan.topics), late: plan.late, refused })}\n`);
    return;
  }
  const topics = [...plan.topics].map(([t, n]) => (plan.topics.size === 1 ? t : `${t} (${n})`)).join(', ');
  const made = letters === records ? '' : ` (${plural(letters, 'dead letter')})`;
  if (records === 0) say(p, io, `${spec.name}  no dead letters ${sent === null ? 'would be' : 'were'} sent`);
  else say(p, io, `${spec.name}  ${plural(records, 'record')}${made} ${sent === null ? 'would be sent' : 'sent'} to ${harmless(topics)}${sent === null ? '' : '; the next run reads what it reads there'}`);
  for (const [why, n] of plan.unfit) say(p, io, `${spec.name}  ${plural(n, 'dead letter')} ${sent === null ? 'would stay' : 'stayed'}, ${REASONS[why]}`);
  if (plan.late > 0) say(p, io, `${spec.name}  ${plural(plan.late, 'row')} of these ${plan.late === 1 ? 'was' : 'were'} late: late again, unless the state starts anew (--reset-state) or another pipeline reads them`);
  if (plan.partial > 0) say(p, io, `${spec.name}  ${plural(plan.partial, 'dead letter')} of these came from one sink of several: the others count the record a second time`);
}
