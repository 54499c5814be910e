import { PipeError } from '../errors.ts';
import type { JobReport } from '../observe/job.ts';
import { readJobs } from '../observe/live-files.ts';
import { lockHolder } from '../state/lock.ts';
import { didYouMean } from '../suggest.ts';

/** `fraud`, `fraud.yaml` and `pipelines/fraud.yaml` name the pipeline fraud. */
const nameOf = (word: string): string => word.replace(/^.*[\\/]/, '').replace(/\.ya?ml$/, '');

/** The process that has the lock of a job, null where none does. */
export function runner(r: JobReport): number | null {
  const { held, pid } = lockHolder(r.state_file);
  return held ? pid : null;
}

/** Reports of the jobs that are named, of all where none is. Throws user.usage.bad_value for a name that has not run. */
export function wantedJobs(data: string, words: readonly string[]): readonly JobReport[] {
  const all = readJobs(data);
  if (words.length === 0) return all;
  return words.flatMap(word => {
    const found = all.filter(r => r.pipeline === word || r.pipeline === nameOf(word) || r.file.endsWith(`/${nameOf(word)}.yaml`));
    if (found.length > 0) return found;
    const names = [...new Set(all.map(r => r.pipeline))];
    throw new PipeError('user.usage.bad_value', `no job "${word}" has run on ${data}`, { hint: didYouMean(nameOf(word), names) ?? (names.length === 0 ? 'pipe run starts one' : `jobs: ${names.join(', ')}`) });
  });
}
