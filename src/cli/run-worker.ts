import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { compilePipeline } from '../config/compile.ts';
import { loadPipeline } from '../config/load.ts';
import { Member, type MemberParts } from '../engine/parallel/member.ts';
import type { Answer, Command } from '../engine/parallel/messages.ts';
import { unpackers } from '../connectors/unpack.ts';
import { formats } from '../formats/index.ts';
import type { WorkerPlan } from './workers.ts';

/** What a worker thread runs: it compiles the same text as the main thread, since functions do not cross threads. */
const port = parentPort as MessagePort;
const { path, root, env, name, text } = workerData as WorkerPlan;
const post = (a: Answer): void => port.postMessage(a);
let parts: MemberParts | null = null;
let member: Member | null = null;

guarded(() => {
  const spec = loadPipeline(path, { env, root, name, text, tests: false });
  parts = { spec, plan: compilePipeline(spec).plan, formats, unpackers: unpackers() };
  post({ k: 'begun' });
});

port.on('message', (c: Command) => {
  if (c.k !== 'open') return member?.receive(c);
  if (parts === null) return;
  const made = parts;
  guarded(() => {
    member = new Member(made, c.opening, post);
    post({ k: 'ready' });
  });
});

function guarded(work: () => void): void {
  try {
    work();
  } catch (error) {
    const e = error as Error;
    post({ k: 'failed', code: null, message: e.message, hint: undefined, retriable: false, stack: e.stack });
  }
}
