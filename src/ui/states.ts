import { statSync } from 'node:fs';
import type { CompiledPipeline } from '../config/compile.ts';
import { stateFilesOf } from '../observe/state-places.ts';
import type { Rows, States, StateTables, V1 } from './answers.ts';
import type { Call, Route } from './call.ts';
import { badValue, notFound } from './refusal.ts';
import type { Site } from './site.ts';
import { StateProcesses } from './state-process.ts';
import type { StateTarget } from './state-worker.ts';

const MOST_ROWS = 1000;
const MOST_SQL = 100_000;

/** A pipeline with state on one log; its id is PIPELINE@LOG. */
export interface StateOf {
  readonly id: string;
  readonly log: string;
  readonly path: string;
  readonly compiled: CompiledPipeline;
}

const statesOf = (site: Site): readonly StateOf[] =>
  site.pipelines.all().flatMap(compiled => stateFilesOf(site.data, compiled.spec).map(({ log, path }) => ({ id: `${compiled.spec.name}@${log}`, log, path, compiled })));

/** That of `:job`. Throws 404. */
export function stateOf(c: Call): StateOf {
  const found = statesOf(c.site).find(s => s.id === c.param('job'));
  if (found === undefined) throw notFound('there is no such state', 'GET /api/v1/state lists them: an id is PIPELINE@LOG');
  return found;
}

/** Saved state, which is only read. */
export function stateRoutes(site: Site): readonly Route[] {
  const processes = new StateProcesses(site.stateProcess);
  const target = (s: StateOf): StateTarget => ({ path: s.path, file: s.compiled.spec.path, text: s.compiled.spec.file.text, root: site.root });
  return [
    { method: 'GET', path: '/api/v1/state', answers: 'states', handle: async (c): Promise<V1<States>> => {
      const states = statesOf(c.site);
      const tables = states.length === 0 ? [] : await processes.ask<readonly StateTables[]>({ k: 'tables', of: states.map(target) }, c.signal);
      return { v: 1, states: states.map((s, i) => ({ id: s.id, pipeline: s.compiled.spec.name, log: s.log, file: s.path, bytes: bytesOf(s.path), ...tables[i] })) };
    } },
    { method: 'GET', path: '/api/v1/state/:job/lookup', answers: 'rows', handle: async (c): Promise<V1<Rows>> => {
      const table = c.text('table');
      if (table === null) throw badValue('lookup needs table and key');
      return { v: 1, ...await processes.ask<Rows>({ k: 'lookup', of: target(stateOf(c)), table, key: keyOf(c.text('key')) }, c.signal) };
    } },
    { method: 'POST', path: '/api/v1/state/:job/query', answers: 'rows', handle: async (c): Promise<V1<Rows>> => {
      const of = target(stateOf(c));
      const { sql, limit = MOST_ROWS } = await c.body();
      if (typeof sql !== 'string' || sql.length > MOST_SQL) throw badValue(`sql is a text of at most ${MOST_SQL} characters`);
      if (!Number.isInteger(limit) || (limit as number) < 1 || (limit as number) > MOST_ROWS) throw badValue(`limit is a whole number from 1 to ${MOST_ROWS}`);
      const began = performance.now();
      const answer = await processes.ask<Rows>({ k: 'query', of, sql, limit: limit as number }, c.signal);
      return { v: 1, ...answer, ms: Math.round(performance.now() - began) };
    } },
  ];
}

function keyOf(text: string | null): readonly unknown[] {
  try {
    const key: unknown = JSON.parse(text ?? '');
    if (Array.isArray(key)) return key;
  } catch {
    // told below
  }
  throw badValue('key is a JSON array, such as ["ACC-7"]');
}

/** With what was not put into the file itself yet. */
const bytesOf = (path: string): number => ['', '-wal'].reduce((n, ending) => n + (statSync(path + ending, { throwIfNoEntry: false })?.size ?? 0), 0);
