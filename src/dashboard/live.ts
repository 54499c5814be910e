import { computed, effect, signal } from '@preact/signals';
import { jobId as idOf, type JobReport } from '../observe/job.ts';
import type { Info, Jobs } from '../ui/answers.ts';
import { get, url } from './api.ts';
import { refused, token } from './session.ts';
import { listen, type Connection } from './stream.ts';

export const info = signal<Info | null>(null);
/** null: not known yet. */
export const jobs = signal<readonly JobReport[] | null>(null);
export const connection = signal<Connection>('connecting');
/** When the last news came, by the clock of this computer. */
export const heardAt = signal(0);

export const mayAct = computed(() => info.value?.actions === true);

export const jobId = (job: JobReport): string => idOf(job.pipeline, job.log.id);

function take(news: Jobs): void {
  heardAt.value = Date.now();
  jobs.value = news.jobs;
}

/** Follows the jobs as long as there is a token that the server takes. */
export function follow(): void {
  effect(() => {
    if (token.value === null || refused.value) return;
    const stop = listen(url(['events']), {
      event: (name, data) => { if (name === 'jobs') take(data as Jobs); },
      state: s => {
        connection.value = s;
        // a server that came back may be another one
        if (s === 'open') void get<Info>(url(['info'])).then(i => { info.value = i; }, () => undefined);
      },
    });
    return stop;
  });
}
