import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lockHolder } from '../state/lock.ts';
import { StateReader } from '../state/reader.ts';
import { ALIVE, type JobReport } from './job.ts';
import { liveFolder, liveName, PLAN } from './live-names.ts';
import type { PlanReport } from './plan.ts';

/** The newest report of every pipeline that ran on a data folder, by name. */
export function readJobs(data: string): JobReport[] {
  return names(liveFolder(data)).filter(f => f.endsWith('.json') && !f.endsWith(PLAN)).flatMap(f => {
    const report = readJson(join(liveFolder(data), f)) as JobReport | null;
    return report === null || report.v !== 1 ? [] : [asItIs(report)];
  }).sort((a, b) => (a.pipeline < b.pipeline ? -1 : a.pipeline > b.pipeline ? 1 : a.log.id < b.log.id ? -1 : 1));
}

/** What a pipeline does, as its last run said; null where none did. */
export const readPlan = (data: string, pipeline: string, logId: string): PlanReport | null => readJson(join(liveFolder(data), liveName(pipeline, logId, PLAN))) as PlanReport | null;

/** The lock of a state file tells whether its process is there: that of a process which died is free, and a number may be another's now. */
function asItIs(r: JobReport): JobReport {
  if (!ALIVE.includes(r.state)) return r;
  const { held, pid } = lockHolder(r.state_file);
  if (held && (pid === null || pid === r.pid)) return r;
  return { ...r, state: 'crashed', epoch: savedEpoch(r.state_file) ?? r.epoch };
}

/** By state file, with when that was written last: jobs are looked at again and again, and their state is not to be opened each time. */
const epochs = new Map<string, { readonly at: string; readonly epoch: number }>();

/** What its state says: it has committed since its last report. null where that cannot be read. */
function savedEpoch(stateFile: string): number | null {
  const at = ['', '-wal'].map(suffix => statSync(stateFile + suffix, { throwIfNoEntry: false })?.mtimeMs).join();
  const known = epochs.get(stateFile);
  if (known?.at === at) return known.epoch;
  const epoch = readEpoch(stateFile);
  if (epoch === null) epochs.delete(stateFile);
  else epochs.set(stateFile, { at, epoch });
  return epoch;
}

function readEpoch(stateFile: string): number | null {
  try {
    const state = new StateReader(stateFile);
    try {
      return state.epoch();
    } finally {
      state.close();
    }
  } catch {
    return null;
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** null for a file that is not there, or is no JSON. */
function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}
