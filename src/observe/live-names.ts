import { join } from 'node:path';

/** Endings of what a run says of itself, and of what its pipeline does. */
const REPORT = '.json';
export const PLAN = '.plan.json';

/** The folder of reports in a data folder. */
export const liveFolder = (data: string): string => join(data, 'live');

/** `<pipeline>@<log>`: also how state files are named. */
export const jobId = (pipeline: string, logId: string): string => `${pipeline}@${logId.replace(/[^\w.-]/g, '_')}`;
export const liveName = (pipeline: string, logId: string, ending: string = REPORT): string => `${jobId(pipeline, logId)}${ending}`;
