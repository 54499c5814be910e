import { text } from 'node:stream/consumers';
import { isMainThread, Worker } from 'node:worker_threads';
import type { StateRequest } from '../ui/state-worker.ts';

/*
 * What a dashboard asks of state files, in a process that it can kill: one request on stdin, one answer on stdout. A second thread
 * ends the process when it takes too much memory: SQLite is built without limits of its own, and the first thread waits for it.
 */
const MOST_BYTES = 768 << 20;
const LOOK_MS = 20;

async function answer(): Promise<void> {
  const watch = new Worker(new URL(import.meta.url));
  watch.unref();
  const [{ answerState }, { problemOf }, request] = await Promise.all([import('../ui/state-worker.ts'), import('../ui/refusal.ts'), text(process.stdin)]);
  let said: unknown;
  try {
    said = { ok: answerState(JSON.parse(request) as StateRequest, process.env) };
  } catch (error) {
    const problem = problemOf(error);
    if (problem === null) throw error;
    said = { problem: problem.answer };
  }
  process.stdout.write(JSON.stringify(said));
}

if (isMainThread) await answer();
else setInterval(() => { if (process.memoryUsage.rss() > MOST_BYTES) process.kill(process.pid, 'SIGKILL'); }, LOOK_MS);
