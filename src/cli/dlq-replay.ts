import type { CompiledPipeline } from '../config/compile.ts';
import { checkTopicName } from '../connectors/topic-name.ts';
import type { Place } from '../engine/letters/letters.ts';
import type { ReplayPlan } from '../engine/letters/plan.ts';
import { resend, wouldResend } from '../engine/letters/resend.ts';
import { PipeError } from '../errors.ts';
import type { Command, Io, Parsed } from './command.ts';
import { checkCodes, dlqFlags, givenAs, idsOf, onePipeline, selection, selectFlags, withPlace } from './dlq-letters.ts';
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
      const selected = { wanted, to: to ?? null, check: (plan: ReplayPlan) => checked(p, compiled, plan), signal: io.signal };
      if (p.has('dry-run')) {
        done(p, io, place, await wouldResend(place, selected), null);
        return 0;
      }
      const { plan, sent } = await resend(place, selected);
      done(p, io, place, plan, sent);
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

/** Throws user.usage.bad_value when an --id names nothing, or there can be no such --code. */
function checked(p: Parsed, compiled: CompiledPipeline, plan: ReplayPlan): void {
  const unknown = idsOf(p).filter(id => !plan.names.has(id));
  if (unknown.length > 0) throw new PipeError('user.usage.bad_value', `there is no dead letter ${unknown.join(', ')} that the flags would take`, { hint: `pipe dlq ls ${givenAs(p, compiled)} --limit 20 lists them; what was replayed is no dead letter any more` });
  if (plan.names.size === 0) checkCodes(p);
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
