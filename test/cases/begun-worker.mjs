/** The thread of a run, which says so to ComeAndGo once it has begun. */
import { getEnvironmentData } from 'node:worker_threads';

await import('../../dist/cli/run-worker.js');
const begun = getEnvironmentData('pipe.test.begun');
Atomics.add(begun, 0, 1);
Atomics.notify(begun, 0);
