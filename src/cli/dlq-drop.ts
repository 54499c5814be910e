import { Letters, type Place } from '../engine/letters/letters.ts';
import type { Letter } from '../engine/letters/letter.ts';
import { openStopped } from '../engine/letters/resend.ts';
import { PipeError } from '../errors.ts';
import type { Command, Io, Parsed } from './command.ts';
import { checkCodes, dlqFlags, givenAs, idsOf, onePipeline, selection, selectFlags, withPlace } from './dlq-letters.ts';
import { chosen, idFlag } from './dlq-replay.ts';
import { plural } from '../numbers.ts';
import { say } from './topics-log.ts';

export const dlqDrop: Command = {
  name: 'dlq drop',
  summary: 'deletes dead letters for good; for a pipeline that does not run',
  usage: 'PIPELINE',
  examples: [
    ['pipe dlq drop fraud.yaml --code user.data.late', 'those of one code'],
    ['pipe dlq drop fraud.yaml --before 168h --dry-run', 'says how many are older than a week, also while the pipeline runs'],
    ['pipe dlq drop fraud.yaml --all', 'all of them'],
  ],
  flags: [
    { name: 'all', value: 'boolean', summary: 'all of them' }, idFlag, ...selectFlags,
    { name: 'before', value: 'TIME', summary: 'kept before an ISO time, or longer ago than 24h' },
    { name: 'dry-run', value: 'boolean', summary: 'say what would be deleted, and delete nothing' },
    ...dlqFlags,
  ],
  notes: ['The room is used again by the state file, or given back where most of it is empty. A topic of dead letters is left alone: its retention empties it.'],
  run: async (p, io) => {
    const compiled = await onePipeline(p, io, 'dlq drop', p.args);
    chosen(p, 'dlq drop', ['code', 'id', 'source', 'since', 'before']);
    const wanted = selection(p, compiled);
    const dry = p.has('dry-run');
    return withPlace(p, io, compiled, async place => {
      const { ids, elsewhere } = await (dry ? find : drop)(p, io, place, wanted);
      const n = ids.length;
      if (p.has('json')) io.out.write(`${JSON.stringify({ v: 1, pipeline: compiled.spec.name, log: place.log.id, dry_run: dry, dropped: n, in_topics: elsewhere })}\n`);
      const stay = elsewhere === 0 ? '' : `; ${plural(elsewhere, 'record')} of dead-letter topics ${dry ? 'would stay' : 'stayed'}: retention removes them`;
      say(p, io, `${compiled.spec.name}  ${plural(n, 'dead letter')} ${dry ? 'would be ' : ''}dropped${stay}`);
      return 0;
    });
  },
};

interface Found {
  /** Of the state file. */
  readonly ids: readonly number[];
  /** Records of dead-letter topics. */
  readonly elsewhere: number;
}

/** Deletes what the flags take. Throws as openStopped, and as `find`. */
async function drop(p: Parsed, io: Io, place: Place, wanted: (l: Letter) => boolean): Promise<Found> {
  const store = openStopped(place);
  try {
    // a replay that was cut short must be settled first: what it sent is no dead letter, what it did not send stays
    if (store.letters.pending() !== null) throw new PipeError('system.state.locked', `a replay of pipeline "${place.compiled.spec.name}" was cut short, and it is not known yet whether it arrived`, { hint: 'pipe run or pipe dlq replay finds out; then drop', retriable: true });
    const found = await find(p, io, place, wanted);
    store.letters.drop(found.ids);
    return found;
  } finally {
    store.close();
  }
}

/** What the flags take. Throws user.usage.bad_value when an --id names nothing, or there can be no such --code. */
async function find(p: Parsed, io: Io, place: Place, wanted: (l: Letter) => boolean): Promise<Found> {
  const ids: number[] = [];
  let elsewhere = 0;
  const letters = await Letters.open(place, io.signal);
  try {
    const unknown = new Set(idsOf(p));
    for await (const l of letters.all()) {
      if (!wanted(l)) continue;
      unknown.delete(l.ref);
      unknown.delete(`${l.topic}-${l.partition}-${l.offset}`);
      if (l.id === null) elsewhere++;
      else ids.push(l.id);
    }
    if (unknown.size > 0) throw new PipeError('user.usage.bad_value', `there is no dead letter ${[...unknown].join(', ')} that the flags would take`, { hint: `pipe dlq ls ${givenAs(p, place.compiled)} --limit 20 lists them` });
    if (ids.length === 0 && elsewhere === 0) checkCodes(p);
    return { ids, elsewhere };
  } finally {
    letters.close();
  }
}
