import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Place } from '../engine/letters/letters.ts';
import { PipeError } from '../errors.ts';
import { isState } from '../state/file.ts';
import { lockState } from '../state/lock.ts';
import { openStateStore } from '../state/sqlite.ts';
import type { Command, Io, Parsed } from './command.ts';
import { dlqFlags, onePipeline, withPlace } from './dlq-letters.ts';
import { shownPath } from './state-backup.ts';
import { type Held, heldText, isEmpty, look } from './state-held.ts';
import { say } from './topics-log.ts';

export const stateReset: Command = {
  name: 'state reset',
  summary: 'deletes the saved state of a pipeline, so that its next run starts again: what run --reset-state does, without running',
  usage: 'PIPELINE',
  examples: [
    ['pipe state reset fraud.yaml', 'says what will be deleted and asks'],
    ['pipe state reset fraud.yaml --dry-run', 'says it only'],
    ['pipe state reset fraud.yaml --yes', 'does not ask'],
    ['pipe state reset fraud.yaml --brokers localhost:9092 --yes', 'the state on that cluster'],
  ],
  flags: [
    { name: 'yes', value: 'boolean', summary: 'do not ask; needed where stdin is no terminal' },
    { name: 'dry-run', value: 'boolean', summary: 'say what would be deleted, and delete nothing' },
    ...dlqFlags,
  ],
  notes: ['Topics are left alone: the rows that were sent stay, and come a second time. A damaged state can be reset, too.'],
  run: async (p, io) => {
    const compiled = await onePipeline(p, io, 'state reset', p.args);
    const { spec } = compiled;
    return withPlace(p, io, compiled, async place => {
      if (!isState(place.state) && !isState(`${place.state}.epoch`)) {
        throw new PipeError('user.usage.bad_value', `pipeline "${spec.name}" has no state at ${shownPath(place.state, io)}`, { hint: 'its next run starts anyway; --data-dir and --brokers choose as in run' });
      }
      const found = look(place.state);
      const empty = isEmpty(found);
      const nothing = `${spec.name}  there is nothing to reset: the next run starts at the beginning as it is`;
      const json = (more: object): void => { if (p.has('json')) io.out.write(`${JSON.stringify({ v: 1, pipeline: spec.name, log: place.log.id, file: place.state, was_empty: empty, ...more })}\n`); };
      if (p.has('dry-run')) {
        json({ dry_run: true });
        say(p, io, empty ? nothing : warning('would delete', place, found, io));
        return 0;
      }
      const yes = p.has('yes');
      if (!empty && !yes) {
        say(p, io, warning('would delete', place, found, io));
        if (!await agreed(p, io)) {
          say(p, io, 'nothing was deleted');
          return 0;
        }
      }
      // said before it is done, but not where it cannot be done
      if (!empty && yes) {
        lockState(place.state, spec.name).release();
        say(p, io, warning('deletes', place, found, io));
      }
      // an empty one, too: it takes the pipeline over on the log from another state
      if (!empty || yes) await reset(place);
      json({ dry_run: false });
      say(p, io, empty ? nothing : `${spec.name}  state deleted; the next run starts again`);
      return 0;
    });
  },
};

function warning(deletes: string, { compiled: { spec }, state, log }: Place, found: Held | null, io: Io): string {
  const sources = spec.sources.map(s => s.topic).join(', ');
  const sinks = spec.sinks.map(s => s.topic).join(', ');
  return `${spec.name}  ${deletes} ${shownPath(state, io)} (${heldText(state, found)}); the next run reads ${sources} from the start and sends its rows to ${sinks} on the ${log.label} a second time`;
}

/** The answer of a person. Throws user.usage.missing_argument where there is nobody to ask. */
async function agreed(p: Parsed, io: Io): Promise<boolean> {
  if (io.in.isTTY !== true || p.has('json')) throw new PipeError('user.usage.missing_argument', 'pipe state reset deletes state: it wants --yes where it cannot ask', { hint: 'nothing was deleted' });
  io.err.write('delete it? [y/N] ');
  const answer = once(io.in, 'data', { signal: io.signal }).then(([chunk]) => String(chunk), () => '');
  return /^\s*y(es)?\s*$/i.test(await answer);
}

/** A new state takes the pipeline over on its log, so that no other one goes on with it. */
async function reset({ compiled: { spec }, log, state }: Place): Promise<void> {
  const store = openStateStore({ path: state, pipeline: spec.name, logId: log.id, reset: true });
  const delivery = log.delivery({
    pipeline: spec.name, idPrefix: spec.settings.kafka.idPrefix, stateId: store.stateId, ownerId: randomBytes(9).toString('base64url'),
    exactlyOnce: spec.settings.delivery === 'exactly-once', takeOver: true,
  });
  try {
    await delivery.recover(0);
  } finally {
    await delivery.close();
    store.close();
  }
}
