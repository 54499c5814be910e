import { getEnvironmentData } from 'node:worker_threads';

/** Adds one to the Int32Array[1] in shared memory that ComeAndGo waits for. */
export function say() {
  const begun = getEnvironmentData('pipe.test.begun');
  Atomics.add(begun, 0, 1);
  Atomics.notify(begun, 0);
}
