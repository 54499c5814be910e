/**
 * Named points of the epoch protocol where tests kill the process: PIPE_FAILPOINT="commit.after:3" dies with SIGKILL when the
 * point is reached for the third time. Without the variable a call costs one comparison.
 */
const [name = '', nth = '1'] = (process.env['PIPE_FAILPOINT'] ?? '').split(':');
let left = Number(nth);

export type Failpoint = 'commit.before' | 'commit.after' | 'delivery.after' | 'replay.noted' | 'replay.sent';

export function failpoint(point: Failpoint): void {
  if (name !== point || --left > 0) return;
  process.kill(process.pid, 'SIGKILL');
}
