import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { compilePipeline } from '../config/compile.ts';
import { loadPipeline } from '../config/load.ts';
import { Member } from '../engine/parallel/member.ts';
import type { Answer, Command } from '../engine/parallel/messages.ts';
import { unpackers } from '../connectors/unpack.ts';
import { formats } from '../formats/index.ts';
import type { WorkerPlan } from './workers.ts';

/** What a worker thread runs: it compiles the same text as the main thread, since functions do not cross threads. */
const port = parentPort as MessagePort;
const { path, root, env, name, text } = workerData as WorkerPlan;
const post = (a: Answer): void => port.postMessage(a);
let member: Member | null = null;

port.on('message', (c: Command) => {
  if (c.k !== 'open') return member?.receive(c);
  try {
    const spec = loadPipeline(path, { env, root, name, text, tests: false });
    member = new Member({ spec, plan: compilePipeline(spec).plan, formats, unpackers: unpackers() }, c.opening, post);
    post({ k: 'ready' });
  } catch (error) {
    const e = error as Error;
    post({ k: 'failed', code: null, message: e.message, hint: undefined, retriable: false, stack: e.stack });
  }
});
