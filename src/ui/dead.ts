import { meaningOf } from '../engine/letters/codes.ts';
import { unfit, type Letter } from '../engine/letters/letter.ts';
import type { Place } from '../engine/letters/letters.ts';
import { resend } from '../engine/letters/resend.ts';
import { deadLetterTopics, topicLetters } from '../engine/letters/topic.ts';
import { jobId } from '../observe/job.ts';
import { DeadLetterFile, type LetterCode } from '../state/dead-letter-file.ts';
import type { DeadCodes, DeadLetter, DeadLetters, Replayed, V1 } from './answers.ts';
import type { Call, Route } from './call.ts';
import { LIST_BYTES, ONE_BYTES, shown } from './records.ts';
import { badValue, notFound } from './refusal.ts';
import { stateOf, type StateOf } from './states.ts';

const MOST_LETTERS = 500;
const USUAL_LETTERS = 100;
/** Of a topic of dead letters one request reads so many, for so many ms. */
const MOST_READ = 50_000;
const MOST_MS = 2000;

/** Dead letters: by code, each of them, and sent again. */
export const deadRoutes: readonly Route[] = [
  { method: 'GET', path: '/api/v1/dlq/:job', answers: 'dead_codes', handle: async (c): Promise<V1<DeadCodes>> => {
    const state = stateOf(c);
    const [file, replayed] = withFile(state, f => [f.codes(), f.replays()] as const) ?? [[], 0];
    const topics = await topicPart(c, state);
    const codes = new Map(file.map(k => [k.code, k]));
    for (const l of topics.letters) codes.set(l.code, added(codes.get(l.code), l));
    const sorted = [...codes.values()].sort((a, b) => b.n - a.n || b.last - a.last);
    return { v: 1, codes: sorted.map(k => ({ ...k, means: meaningOf(k.code)?.means ?? null, hint: meaningOf(k.code)?.hint ?? null })), replayed, topics: topics.names, partial: topics.partial };
  } },
  { method: 'GET', path: '/api/v1/dlq/:job/letters', answers: 'letters', handle: letters },
  { method: 'POST', path: '/api/v1/dlq/:job/replay', action: true, answers: 'replayed', handle: replay },
];

function added(k: LetterCode | undefined, l: Letter): LetterCode {
  if (k === undefined) return { code: l.code, n: 1, first: l.at, last: l.at, message: l.message };
  return { ...k, n: k.n + 1, first: Math.min(k.first, l.at), last: Math.max(k.last, l.at), message: l.at >= k.last ? l.message : k.message };
}

/** null where there is no state file. */
function withFile<T>({ path }: StateOf, read: (file: DeadLetterFile) => T): T | null {
  const file = DeadLetterFile.find(path);
  if (file === null) return null;
  try {
    return read(file);
  } finally {
    file.close();
  }
}

/** `before`: the number of a letter; those of the table come first, newest first, then the newest of topics. */
async function letters(c: Call): Promise<V1<DeadLetters>> {
  const limit = c.count('limit', 1, MOST_LETTERS) ?? USUAL_LETTERS;
  const [code, before, id] = [c.text('code'), c.count('before', 0, Number.MAX_SAFE_INTEGER), c.count('id', 0, Number.MAX_SAFE_INTEGER)];
  const state = stateOf(c);
  const kept = withFile(state, f => f.page({ code, before: id === null ? before : id + 1, limit: id === null ? limit + 1 : 1 })) ?? [];
  const table = (id === null ? kept.slice(0, limit) : kept.filter(l => l.id === id)).map((l): Letter => ({ ...l, ref: String(l.id), mark: null }));
  const more = id === null && kept.length > limit;
  const topic = id !== null || more || table.length === limit ? [] : (await topicPart(c, state)).letters.filter(l => code === null || l.code === code).sort((a, b) => b.at - a.at).slice(0, limit - table.length);
  return { v: 1, letters: [...table, ...topic].map(l => letterAnswer(l, id === null ? LIST_BYTES : ONE_BYTES)), next: more ? table.at(-1)?.id ?? null : null };
}

const letterAnswer = (l: Letter, most: number): DeadLetter => ({
  id: l.ref, at: l.at, code: l.code, message: l.message, place: l.place, source: l.source, operator: l.operator, topic: l.topic, partition: l.partition, offset: l.offset, timestamp: l.timestamp,
  ...shown('key', l.key, most), ...shown('value', l.value, most), size: l.size, truncated: (l.value?.length ?? 0) > most || (l.key?.length ?? 0) > most, unfit: unfit(l),
});

interface TopicPart {
  readonly names: readonly string[];
  readonly letters: readonly Letter[];
  /** There are more than were read. */
  readonly partial: boolean;
}

/** Dead letters in topics of their own (`on_error: {topic: ..}`), as many as can be read in time. */
async function topicPart(c: Call, state: StateOf): Promise<TopicPart> {
  const { compiled: { spec }, path } = state;
  if ([...spec.sources, ...spec.sinks].every(x => typeof x.onError !== 'object')) return { names: [], letters: [], partial: false };
  const { log } = await placeOf(c, state);
  const file = DeadLetterFile.find(path);
  const time = AbortSignal.timeout(MOST_MS);
  const found: Letter[] = [];
  const topics = await deadLetterTopics(spec, log);
  let partial = false;
  try {
    for (const topic of topics) {
      for await (const l of topicLetters(spec, log, topic, p => file?.replayed(topic.id, p) ?? (() => false), AbortSignal.any([c.signal, time]))) {
        if ((partial = found.length >= MOST_READ)) break;
        found.push(l);
      }
    }
  } finally {
    file?.close();
  }
  return { names: topics.map(t => t.name), letters: found, partial: partial || time.aborted };
}

/** With its log. Throws 404, or why it cannot be reached. */
async function placeOf(c: Call, { id, path, compiled }: StateOf): Promise<Place> {
  const log = (await c.site.logs.open()).find(l => jobId(compiled.spec.name, l.id) === id);
  if (log === undefined) throw notFound('the log of this state is not one of this dashboard, or cannot be reached', 'pipe ui --brokers adds a Kafka');
  return { compiled, log, state: path };
}

/** Throws 409 where the pipeline runs. One that is cut short goes on with the next one. */
async function replay(c: Call): Promise<V1<Replayed>> {
  const { code = null, ids = null } = await c.body();
  if ((code === null) === (ids === null)) throw badValue('replay takes a code or ids: {"code": "user.data.type"} or {"ids": ["17"]}');
  if (code !== null && typeof code !== 'string') throw badValue('code is a text');
  if (ids !== null && !(Array.isArray(ids) && ids.every(i => typeof i === 'string'))) throw badValue('ids is a list of texts');
  const wanted = new Set(ids as string[] | null);
  const { plan, sent } = await resend(await placeOf(c, stateOf(c)), { wanted: l => (code === null ? wanted.has(l.ref) : l.code === code), to: null, check: () => undefined, signal: c.signal });
  return { v: 1, records: sent, topics: Object.fromEntries(plan.topics), refused: Object.fromEntries(plan.unfit), late: plan.late };
}
