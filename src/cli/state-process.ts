import { text } from 'node:stream/consumers';
import { Database } from '../state/database.ts';
import { problemOf } from '../ui/refusal.ts';
import { answerState, type StateRequest } from '../ui/state-worker.ts';

/** Bytes that SQLite may take. */
const HEAP = 256 << 20;

/** What a dashboard asks of state files, in a process that it can kill: one request on stdin, one answer on stdout. */
new Database(':memory:').pragma(`hard_heap_limit = ${HEAP}`);
const request = JSON.parse(await text(process.stdin)) as StateRequest;
let answer: unknown;
try {
  answer = { ok: answerState(request, process.env) };
} catch (error) {
  const problem = problemOf(error);
  if (problem === null) throw error;
  answer = { problem: problem.answer };
}
process.stdout.write(JSON.stringify(answer));
