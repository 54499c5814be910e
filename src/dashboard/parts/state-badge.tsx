import type { JobReport } from '../../observe/job.ts';

const TONES: Readonly<Record<JobReport['state'], string>> = { starting: 'info', running: 'good', paused: 'warn', draining: 'info', done: 'quiet', stopped: 'warn', failed: 'bad', crashed: 'bad' };

export function StateBadge({ job }: { readonly job: JobReport }) {
  const away = job.away && job.state === 'running';
  return <span class={`badge ${away ? 'warn' : TONES[job.state] ?? 'quiet'}`}>{away ? 'broker away' : job.state}</span>;
}
