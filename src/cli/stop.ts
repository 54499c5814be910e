import { setTimeout } from 'node:timers/promises';
import { PipeError } from '../errors.ts';
import type { JobReport } from '../observe/job.ts';
import { lockHolder } from '../state/lock.ts';
import { durationFlag } from './args.ts';
import type { Command, Io, Parsed } from './command.ts';
import { isOver } from './job-lines.ts';
import { dataDir } from './places.ts';
import { runner, wantedJobs } from './wanted-jobs.ts';

export const stop: Command = {
  name: 'stop',
  summary: 'drains running jobs of this data folder: what was read is committed and delivered',
  usage: '[NAME|FILE...]',
  examples: [
    ['pipe stop fraud', 'waits until it has ended; jobs of the same process end with it'],
    ['pipe stop --all', 'all that run on this data folder'],
    ['pipe stop fraud --now', 'at once: what was not delivered comes with the next start'],
  ],
  flags: [
    { name: 'all', value: 'boolean', summary: 'every job that runs' },
    { name: 'now', value: 'boolean', summary: 'without a drain, as a second Ctrl-C; nothing is lost' },
    { name: 'timeout', value: 'DURATION', summary: 'how long to wait (default 30s)' },
  ],
  async run(p: Parsed, io: Io): Promise<number> {
    const timeout = durationFlag('--timeout', p.text('timeout') ?? '30s');
    if (p.args.length === 0 && !p.has('all')) throw new PipeError('user.usage.missing_argument', 'pipe stop needs the name of a job, or --all', { hint: 'pipe status lists them' });
    if (p.args.length > 0 && p.has('all')) throw new PipeError('user.usage.bad_value', 'pipe stop takes names or --all, not both');
    const data = dataDir(p, io);
    const wanted = wantedJobs(data, p.args).filter(r => !p.has('all') || !isOver(r));
    const say = (line: string): void => { if (!p.has('quiet') && !p.has('json')) io.err.write(`${line}\n`); };
    // the process of each that was told
    const told = new Map<JobReport, number>();
    for (const r of wanted) {
      const pid = runner(r);
      if (pid === null) { say(`${r.pipeline}  does not run`); continue; }
      const known = [...told.values()].includes(pid);
      told.set(r, pid);
      if (known) continue;
      const others = wantedJobs(data, []).filter(o => o.pid === pid && o.pipeline !== r.pipeline && !isOver(o) && !wanted.some(w => w.pipeline === o.pipeline && w.log.id === o.log.id)).map(o => o.pipeline);
      if (others.length > 0) say(`${r.pipeline}  ends with ${others.join(', ')}: they run in one process (${pid})`);
      io.kill(pid, 'SIGTERM');
    }
    if (p.has('now')) {
      // the second signal, a while after the first: two that come together are one
      await setTimeout(LOOK_MS);
      for (const pid of new Set(told.values())) if ([...told.keys()].some(r => runner(r) === pid)) io.kill(pid, 'SIGTERM');
    }
    await ended([...told.keys()], timeout, io.signal);
    for (const r of wanted) {
      if (p.has('json')) io.out.write(`${JSON.stringify({ v: 1, pipeline: r.pipeline, log: r.log.id, stopped: told.has(r) })}\n`);
      else if (told.has(r)) say(`${r.pipeline}  stopped`);
    }
    if (wanted.length === 0) say('nothing runs');
    return 0;
  },
};

const LOOK_MS = 50;

/** Until nobody has the locks any more. Throws system.run.drain_deadline. */
async function ended(jobs: readonly JobReport[], timeout: number, signal: AbortSignal): Promise<void> {
  const until = performance.now() + timeout;
  for (let left = jobs; ; await setTimeout(LOOK_MS)) {
    left = left.filter(r => lockHolder(r.state_file).held);
    if (left.length === 0 || signal.aborted) return;
    if (performance.now() > until) {
      throw new PipeError('system.run.drain_deadline', `${left.map(r => r.pipeline).join(', ')} still ${left.length === 1 ? 'drains' : 'drain'} after ${Math.round(timeout / 1000)} s`, { hint: 'wait longer with --timeout, or --now: nothing is lost', retriable: true });
    }
  }
}
