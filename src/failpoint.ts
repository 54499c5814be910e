/**
 * Named steps of a run where tests kill the process: PIPE_FAILPOINT="commit.after:3" dies with SIGKILL when the step is reached for
 * the third time. Without the variable a call costs one comparison.
 */
const [name = '', nth = '1'] = (process.env['PIPE_FAILPOINT'] ?? '').split(':');
let left = Number(nth);

/** In the order in which a process comes by them: start, records in, the commit of an epoch, its delivery on Kafka or on the embedded log, stop. */
export const failpoints = [
  'state.made', 'state.upgrading', 'recover.before', 'marker.read', 'marker.fenced', 'recover.resend.before', 'recover.resend.after',
  'poll.received', 'decode.after', 'slice.passed',
  'commit.before', 'flush.before', 'flush.after', 'outbox.written', 'commit.sql', 'commit.after', 'checkpoint.before', 'checkpoint.after',
  'txn.begin', 'produce.before', 'produce.after', 'offsets.before', 'offsets.after', 'end.before', 'end.sent', 'end.after', 'plain.between',
  'append.before', 'append.marker', 'append.after',
  'delivery.after', 'drain.before', 'drain.after',
] as const;
/** Those of a replay of dead letters, which no run comes by. */
export type Failpoint = (typeof failpoints)[number] | 'replay.noted' | 'replay.sent';

export function failpoint(point: Failpoint): void {
  if (name !== point || --left > 0) return;
  process.kill(process.pid, 'SIGKILL');
}

/** The same when what was begun is on its way: after the current turn of the event loop. */
export function failpointSoon(point: Failpoint): void {
  if (name === point) setImmediate(() => failpoint(point));
}

/** Whether this process is to die there: steps that are rare otherwise are then taken each time. */
export const failsAt = (...points: readonly Failpoint[]): boolean => points.some(p => p === name);

/** PIPE_POISON=1: memory that is to be used again is filled with what nobody expects, so that tests notice who still reads it. */
export const poisons: boolean = process.env['PIPE_POISON'] === '1';
