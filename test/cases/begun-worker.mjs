/** The thread of a run, which says so once it has begun. */
import { say } from './say-begun.mjs';

await import('../../dist/cli/run-worker.js');
say();
