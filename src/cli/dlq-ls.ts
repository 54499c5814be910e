import { unfit, type Letter } from '../engine/letters/letter.ts';
import { Letters, type Place } from '../engine/letters/letters.ts';
import { PipeError } from '../errors.ts';
import { DEAD_LETTER_BYTES } from '../state/dead-letters.ts';
import { countFlag } from './args.ts';
import type { Command, Io, Parsed } from './command.ts';
import { dlqFlags, givenAs, onePipeline, selection, selectFlags, withPlace } from './dlq-letters.ts';
import { bytes, grouped, plural } from '../numbers.ts';
import { harmless, safeJson } from './text-width.ts';
import { say } from './topics-log.ts';
import { shown } from './topics-render.ts';

/** Characters of an example. */
const EXAMPLE = 160;

export const dlqLs: Command = {
  name: 'dlq ls',
  summary: 'lists the dead letters of pipelines by code, also while they run',
  usage: '[PIPELINE]',
  examples: [
    ['pipe dlq ls', 'of every pipeline of this project and data folder'],
    ['pipe dlq ls fraud.yaml', 'how many of each code, since when, and an example'],
    ['pipe dlq ls fraud.yaml --code user.data.type --limit 20', 'the last 20 of one code'],
    ['pipe dlq ls fraud.yaml --since 1h --json', 'those of the last hour, one JSON object each'],
  ],
  flags: [...selectFlags, { name: 'limit', value: 'N', summary: 'dead letters shown of each code (default 1), with --json of each pipeline (default all); the last ones' }, ...dlqFlags],
  run: async (p, io) => {
    const limit = p.text('limit') === undefined ? null : countFlag('--limit', p.text('limit') as string);
    return p.args.length === 0 ? listEvery(p, io, limit) : listOne(p, io, limit);
  },
};

async function listOne(p: Parsed, io: Io, limit: number | null): Promise<number> {
  const compiled = await onePipeline(p, io, 'dlq ls', p.args);
  const wanted = selection(p, compiled);
  return withPlace(p, io, compiled, async place => {
    const letters = await Letters.open(place, io.signal);
    try {
      if (p.has('json')) await printJson(letters, wanted, limit, place, io);
      else printGroups([await listed(letters, wanted, limit ?? 1, place, io)], givenAs(p, compiled), p, io);
    } finally {
      letters.close();
    }
    return 0;
  });
}

/** Those that have never run have none. */
async function listEvery(p: Parsed, io: Io, limit: number | null): Promise<number> {
  if (p.has('source')) throw new PipeError('user.usage.missing_argument', '--source names a source of one pipeline: which?', { hint: 'pipe dlq ls PIPELINE --source NAME' });
  const { namedOrEvery } = await import('./every-pipeline.ts');
  const found: Listed[] = [];
  const { pipelines, leftOut } = await namedOrEvery(p, io);
  for (const compiled of pipelines) {
    const wanted = selection(p, compiled);
    const code = await withPlace(p, io, compiled, async place => {
      const letters = await Letters.find(place, io.signal);
      try {
        if (letters !== null && p.has('json')) await printJson(letters, wanted, limit, place, io);
        else if (letters !== null) found.push(await listed(letters, wanted, limit ?? 1, place, io));
      } finally {
        letters?.close();
      }
      return 0;
    });
    if (code !== 0) return code;
  }
  if (!p.has('json')) printGroups(found, null, p, io, leftOut > 0 ? ' of the others' : '');
  return 0;
}

async function printJson(letters: Letters, wanted: (l: Letter) => boolean, limit: number | null, { compiled: { spec }, log }: Place, io: Io): Promise<void> {
  const lines = new Last<string>(limit ?? Infinity);
  const write = async (line: string): Promise<void> => { if (!io.out.write(`${line}\n`)) await io.out.drained(); };
  for await (const l of letters.all()) {
    if (io.signal.aborted) return;
    if (!wanted(l)) continue;
    const line = safeJson({
      pipeline: spec.name, log: log.id, id: l.ref, at: l.at, code: l.code, message: l.message, place: l.place, source: l.source, operator: l.operator,
      topic: l.topic, partition: l.partition, offset: l.offset, timestamp: l.timestamp, key: shown(l.key), value: shown(l.value), size: l.size, unfit: unfit(l),
    });
    if (limit === null) await write(line);
    else lines.add(line, l.at);
  }
  for (const line of lines.all()) await write(line);
}

interface Group {
  readonly code: string;
  readonly source: string;
  n: number;
  first: number;
  last: number;
  readonly examples: Last<string>;
}

/** The letters of one pipeline. */
interface Listed {
  readonly pipeline: string;
  readonly groups: readonly Group[];
  readonly n: number;
  /** Of which the full table kept position and code only. */
  readonly bare: number;
  /** Bytes of the table. */
  readonly size: number;
}

async function listed(letters: Letters, wanted: (l: Letter) => boolean, limit: number, { compiled: { spec } }: Place, io: Io): Promise<Listed> {
  const groups = new Map<string, Group>();
  let n = 0;
  let bare = 0;
  for await (const l of letters.all()) {
    if (io.signal.aborted) break;
    if (!wanted(l)) continue;
    n++;
    if (l.message === null) bare++;
    const key = `${l.code} ${l.source}`;
    let g = groups.get(key);
    if (g === undefined) groups.set(key, (g = { code: l.code, source: l.source, n: 0, first: l.at, last: l.at, examples: new Last(limit) }));
    g.n++;
    g.first = Math.min(g.first, l.at);
    g.last = Math.max(g.last, l.at);
    g.examples.add(example(l), l.at);
  }
  return { pipeline: spec.name, groups: [...groups.values()].sort((a, b) => b.n - a.n || b.last - a.last), n, bare, size: letters.bytes() };
}

/** `of`: what a hint calls the pipeline; null: none was named, so there is a column of names. */
function printGroups(all: readonly Listed[], of: string | null, p: Parsed, io: Io, others = ''): void {
  if (io.signal.aborted) return;
  const every = of === null;
  const n = all.reduce((sum, l) => sum + l.n, 0);
  if (n > 0) io.out.write(every ? table(['PIPELINE', ...HEAD], all.flatMap(l => l.groups.map(g => [[l.pipeline, ...cells(g)], g] as const))) : table(HEAD, all.flatMap(l => l.groups.map(g => [cells(g), g] as const))));
  else say(p, io, `${every ? '' : `${(all[0] as Listed).pipeline}  `}no dead letters${others}${['code', 'source', 'since'].some(f => p.has(f)) ? ' like that' : ''}`);
  for (const { pipeline, bare, size } of all) {
    const its = every ? `${pipeline}  ` : '';
    if (bare > 0) say(p, io, `${its}the table of dead letters was full (${bytes(DEAD_LETTER_BYTES)}): of ${plural(bare, 'letter')} position and code only were kept; pipe dlq drop makes room`);
    else if (size > DEAD_LETTER_BYTES / 2) say(p, io, `${its}the table of dead letters takes ${bytes(size)} of ${bytes(DEAD_LETTER_BYTES)}; once it is full, position and code only are kept; pipe dlq drop makes room`);
  }
  if (n > 0) say(p, io, `${plural(n, 'dead letter')}; pipe dlq show ${of ?? 'PIPELINE'} ID shows all of one`);
}

const HEAD = ['COUNT', 'CODE', 'SOURCE', 'FIRST (UTC)', 'LAST (UTC)'];
const cells = (g: Group): string[] => [grouped(g.n), g.code, g.source === '' ? '-' : g.source, time(g.first), time(g.last)];

/** A line a group, and its examples below its code. */
function table(head: readonly string[], groups: readonly (readonly [cells: readonly string[], g: Group])[]): string {
  const rows = groups.map(([c, g]) => [c.map(harmless), g] as const);
  const widths = head.map((h, j) => Math.max(h.length, ...rows.map(([c]) => (c[j] as string).length)));
  const count = head.indexOf('COUNT');
  const line = (c: readonly string[]): string => `${c.map((x, j) => (j === count ? x.padStart(widths[j] as number) : x.padEnd(widths[j] as number))).join('  ').trimEnd()}\n`;
  const indent = ' '.repeat(widths.slice(0, count + 1).reduce((sum, w) => sum + w + 2, 0));
  return line(head) + rows.map(([c, g]) => line(c) + g.examples.all().map(e => `${indent}${e}\n`).join('')).join('');
}

/** `#17 transactions-0-412 not JSON: ..`. */
function example(l: Letter): string {
  const record = l.offset < 0 ? `a row from ${l.topic}` : `${l.topic}-${l.partition}-${l.offset}`;
  const text = harmless(`${l.id === null ? l.ref : `#${l.id}`}  ${record}  ${l.message ?? 'position and code only were kept'}${l.place === null ? '' : ` (${l.place})`}`);
  return text.length > EXAMPLE ? `${text.slice(0, EXAMPLE)}…` : text;
}

const time = (ms: number): string => (Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString().slice(0, 19).replace('T', ' ') : '-');

/** Of what is added, the few that are youngest, in the order of their time. */
class Last<T> {
  readonly #most: number;
  #kept: { readonly x: T; readonly at: number }[] = [];

  constructor(most: number) { this.#most = most; }

  add(x: T, at: number): void {
    this.#kept.push({ x, at });
    if (this.#kept.length >= 2 * this.#most + 100) this.#cut();
  }

  all(): T[] {
    this.#cut();
    return this.#kept.map(k => k.x);
  }

  #cut(): void {
    this.#kept.sort((a, b) => a.at - b.at);
    this.#kept = this.#kept.slice(Math.max(0, this.#kept.length - this.#most));
  }
}
