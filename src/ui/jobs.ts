import { jobId, type JobReport } from '../observe/job.ts';
import type { JobAnswer, Jobs, V1 } from './answers.ts';
import type { Call, Route } from './call.ts';
import { notFound } from './refusal.ts';
import type { Action, Site } from './site.ts';

/** ms between looks at the reports. */
const LOOK_MS = 1000;

const idOf = (r: JobReport): string => jobId(r.pipeline, r.log.id);

/** Of PIPELINE@LOG, or PIPELINE alone. */
export const pipelineIn = (id: string): string => id.split('@')[0] as string;

/** The report of `/jobs/:job`. Throws 404. */
function jobOf(c: Call): JobReport {
  const found = c.site.reports().find(r => idOf(r) === c.param('job'));
  if (found === undefined) throw notFound('there is no such job', 'GET /api/v1/jobs lists them: an id is PIPELINE@LOG');
  return found;
}

const act = (action: Action): Route => ({
  method: 'POST', path: `/api/v1/jobs/:job/${action}`, action: true, answers: 'done',
  handle: c => {
    c.site.controls.act(action, jobOf(c));
    return { v: 1 };
  },
});

/** Reports, and what may be done to jobs. */
export function jobRoutes(site: Site): readonly Route[] {
  const feed = new JobFeed(site);
  return [
    { method: 'GET', path: '/api/v1/jobs', answers: 'jobs', handle: (c): V1<Jobs> => ({ v: 1, at: Date.now(), jobs: c.site.reports() }) },
    { method: 'GET', path: '/api/v1/jobs/:job', answers: 'job', handle: (c): V1<JobAnswer> => {
      const job = jobOf(c);
      return { v: 1, job, plan: c.site.plan(job) };
    } },
    act('drain'), act('pause'), act('resume'),
    { method: 'GET', path: '/api/v1/events', answers: { jobs: 'jobs_event' }, handle: c => {
      const stream = c.events();
      const stop = feed.listen(text => stream.send('jobs', text));
      stream.signal.addEventListener('abort', stop);
      if (stream.signal.aborted) stop();
      return undefined;
    } },
  ];
}

type Listener = (text: string) => void;

/** Tells all that listen how the jobs stand, when that has changed; looks at them only while somebody listens. */
class JobFeed {
  readonly #site: Site;
  readonly #listeners = new Set<Listener>();
  #timer: NodeJS.Timeout | null = null;
  #stamp = '';

  constructor(site: Site) { this.#site = site; }

  /** Tells at once how they stand now; returns what ends it. */
  listen(listener: Listener): () => void {
    const jobs = this.#site.reports();
    if (this.#timer === null) {
      this.#stamp = stampOf(jobs);
      this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
    }
    this.#listeners.add(listener);
    listener(text(jobs));
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0 || this.#timer === null) return;
      clearInterval(this.#timer);
      this.#timer = null;
    };
  }

  #look(): void {
    const jobs = this.#site.reports();
    const stamp = stampOf(jobs);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    const told = text(jobs);
    for (const listener of this.#listeners) listener(told);
  }
}

const stampOf = (jobs: readonly JobReport[]): string => JSON.stringify(jobs.map(r => [r.pipeline, r.log.id, r.at, r.state]));
const text = (jobs: readonly JobReport[]): string => JSON.stringify({ at: Date.now(), jobs } satisfies Jobs);
