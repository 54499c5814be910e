import { plural } from '../numbers.ts';
import type { JobReport } from '../observe/job.ts';
import type { Command, Io, Parsed } from './command.ts';
import { ageLine, isOver, progressOf } from './job-lines.ts';
import { jobLines } from './live.ts';
import { dataDir } from './places.ts';
import { harmless } from './text-width.ts';
import { wantedJobs } from './wanted-jobs.ts';

export const status: Command = {
  name: 'status',
  summary: 'shows the jobs of this data folder: those that run, and how the others ended',
  usage: '[NAME|FILE...]',
  examples: [
    ['pipe status', 'all jobs: state, rates, lag, watermark, late rows, bad records'],
    ['pipe status fraud', 'one of them; exit code 4 when it does not run'],
    ['pipe status --json', 'as one JSON object a job, with sources, operators and sinks'],
  ],
  flags: [],
  notes: ['≤ before KEYS: of what lies on disk a group counts in each run that it is in, so there may be fewer.'],
  async run(p: Parsed, io: Io): Promise<number> {
    const jobs = wantedJobs(dataDir(p, io), p.args);
    if (p.has('json')) for (const { history: _, ...r } of jobs) io.out.write(`${JSON.stringify(r)}\n`);
    else io.out.write(jobs.length === 0 ? `no job has run on ${dataDir(p, io)}\n` : `${statusLines(jobs, Date.now(), io.out.isTTY ? io.out.columns : 100).join('\n')}\n`);
    return p.args.length > 0 && jobs.some(r => isOver(r)) ? NOT_RUNNING : 0;
  },
};

const NOT_RUNNING = 4;

function statusLines(jobs: readonly JobReport[], now: number, columns: number): string[] {
  const views = jobs.map(r => ({ progress: progressOf(r), rate: isOver(r) ? { in: 0, out: 0 } : r.rate, away: r.away }));
  const notes = jobs.map(r => `   ${harmless(r.pipeline)}: ${isOver(r) ? `${ageLine(r, now)}, on ${r.log.label}` : `process ${r.pid}, ${r.log.label}${r.following ? ', following' : ''}${r.restarts > 0 ? `, ${plural(r.restarts, 'restart')} on this state` : ''}`}`);
  return [...jobLines(views, now, columns), ...notes];
}
