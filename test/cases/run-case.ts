import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCompiled } from '../../src/cli/load-compiled.ts';
import { makeLog } from '../../src/cli/make-log.ts';
import { parseCommandLine } from '../../src/cli/args.ts';
import { makeRun } from '../../src/cli/run.ts';
import { runParts } from '../../src/cli/run-parts.ts';
import type { Log } from '../../src/connectors/connector.ts';
import { engineParts } from '../../src/engine/parts.ts';
import type { EngineParts } from '../../src/engine/ports.ts';
import { fakeIo } from '../cli/fake-io.ts';
import { pipelineOf, record, type Case } from './case.ts';

export interface CaseOptions {
  readonly batch: number;
  readonly jit: boolean;
  readonly decoder: 'fast' | 'plain';
  /** Ends the first run after this many epochs, before the last of them is delivered; null: one undisturbed run. */
  readonly crash: number | null;
  /** Every window is packed in the state file, not only large ones. */
  readonly packed?: boolean;
  /** settings.memory in bytes. */
  readonly memory?: number;
  /** Told what the last run said on stderr. */
  readonly said?: (text: string) => void;
  /** Worker threads before the crash and after it: of the built package, since threads cannot load TypeScript. */
  readonly workers?: readonly [before: number, after: number];
}

/** What worker threads run. */
export const builtWorker = new URL('../../dist/cli/run-worker.js', import.meta.url);

export class Crash extends Error {}

/** An engine whose process "dies" between the commit of an epoch and its delivery. */
export function crashing(after: number): EngineParts {
  return {
    ...engineParts,
    checkpointer: (o, accounting, outbox, delivery, meters) => {
      let dying = false;
      const inner = engineParts.checkpointer(o, accounting, outbox, {
        recover: last => delivery.recover(last), close: () => delivery.close(),
        commit: e => (dying ? Promise.reject(new Crash()) : delivery.commit(e)),
      }, meters);
      let epochs = 0;
      return {
        recover: () => inner.recover(), delivering: () => inner.delivering(), failed: () => inner.failed(), stop: () => inner.stop(),
        drain: () => Promise.reject(new Crash()),
        commit: async e => {
          dying = ++epochs >= after;
          await inner.commit(e);
          if (dying) throw new Crash();
        },
      };
    },
  };
}

/** Runs a case from its YAML to the values in its output topic, on the embedded log. */
export async function runCase(c: Case, o: CaseOptions): Promise<string[]> {
  const dir = mkdtempSync(join(tmpdir(), 'pipe-case-'));
  try {
    const file = join(dir, 'case.yaml');
    writeFileSync(file, pipelineOf(c, 'case'));
    await withLog(dir, async log => {
      for (const [topic, s] of Object.entries(c.sources)) {
        await log.createTopic({ name: topic, partitions: 1, retention: null, config: {} });
        await log.append(topic, s.rows.map(row => ({ key: null, value: Buffer.from(record(row)), headers: [], partition: 0, timestamp: null })));
      }
    });
    const [before, after] = o.workers ?? [1, 1];
    if (o.crash !== null) await run(dir, file, o, crashing(o.crash), before).catch(ignoreCrash);
    await run(dir, file, o, engineParts, after);
    const values: string[] = [];
    await withLog(dir, async log => { values.push(...await readAll(log, 'out')); });
    return values;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function ignoreCrash(error: unknown): void {
  if (!(error instanceof Crash)) throw error;
}

async function run(dir: string, file: string, o: CaseOptions, engine: EngineParts, workers: number): Promise<void> {
  const command = makeRun(() => Promise.resolve({
    ...runParts, engine, worker: builtWorker,
    // an epoch after every batch, so that there is something to lose
    load: async (p, io) => (await loadCompiled(p, io)).map(x => ({ ...x, spec: { ...x.spec, settings: { ...x.spec.settings, checkpoint: o.crash === null ? x.spec.settings.checkpoint : 0, memory: o.memory ?? x.spec.settings.memory } } })),
  }));
  const argv = [file, '--until-end', '--no-print', '--data-dir', join(dir, '.pipe'), '--jit', o.jit ? 'on' : 'off', '--decoder', o.decoder, '--brokers', 'none', '--workers', String(workers)];
  const io = fakeIo({ cwd: dir, env: { PIPE_BATCH_ROWS: String(o.batch), ...(o.packed === true ? { PIPE_PACK_GROUPS: '1' } : {}) } });
  await command.run(parseCommandLine(command, argv), io);
  o.said?.(io.err.text);
}

async function withLog(dir: string, work: (log: Log) => Promise<void>): Promise<void> {
  const notices = { warn: () => undefined, info: () => undefined };
  const log = await makeLog({ brokers: null, origin: 'test' }, join(dir, '.pipe'), null, notices);
  await log.open(1000, new AbortController().signal);
  try {
    await work(log);
  } finally {
    await log.close();
  }
}

/** Values of a topic, all partitions. */
export async function readAll(log: Log, topic: string): Promise<string[]> {
  const source = log.source({ topic, topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'stop' });
  await source.open();
  const values: string[] = [];
  while (source.partitions().some(p => source.position(p) < source.endAtOpen(p))) {
    for (const b of await source.poll(new Set(), 100, new AbortController().signal)) {
      for (let i = 0; i < b.length; i++) values.push(b.data.toString('utf8', b.valueStart[i], b.valueEnd[i]));
    }
  }
  await source.close();
  return values;
}
