import { join } from 'node:path';
import { jobId } from './job.ts';

/** Endings of what a run says of itself, and of what its pipeline does. */
const REPORT = '.json';
export const PLAN = '.plan.json';

/** The folder of reports in a data folder. */
export const liveFolder = (data: string): string => join(data, 'live');

export const liveName = (pipeline: string, logId: string, ending: string = REPORT): string => `${jobId(pipeline, logId)}${ending}`;
