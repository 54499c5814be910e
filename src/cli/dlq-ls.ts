import { unfit, type Letter } from '../engine/letters/letter.ts';
import { Letters, type Place } from '../engine/letters/letters.ts';
import { DEAD_LETTER_BYTES } from '../state/dead-letters.ts';
import { countFlag } from './args.ts';
import type { Command, Io, Parsed } from './command.ts';
import { dlqFlags, onePipeline, selection, selectFlags, withPlace } from './dlq-letters.ts';
import { bytes, grouped, plural } from '../numbers.ts';
import { harmless, safeJson } from './text-width.ts';
import { say } from './topics-log.ts';
import { shown } from './topics-render.ts';

/** Characters of an example. */
const EXAMPLE = 160;

export const dlqLs: Command = {
  name: 'dlq ls',
  summary: 'lists the dead letters of a pipeline by code, also while it runs',
  usage: 'PIPELINE',
  examples: [
    ['pipe dlq ls fraud.yaml', 'how many of each code, since when, and an example'],
    ['pipe dlq ls fraud.yaml --code user.data.type --limit 20', 'the last 20 of one code'],
    ['pipe dlq ls fraud.yaml --since 1h --json', 'those of the last hour, one JSON object each'],
  ],
  flags: [...selectFlags, { name: 'limit', value: 'N', summary: 'letters shown of each code (default 1), with --json in all (default all); the last ones' }, ...dlqFlags],
  run: async (p, io) => {
    const compiled = await onePipeline(p, io, 'dlq ls', p.args);
    const limit = p.text('limit') === undefined ? null : countFlag('--limit', p.text('limit') as string);
    const wanted = selection(p, compiled);
    return withPlace(p, io, compiled, async place => {
      const letters = await Letters.open(place, io.signal);
      try {
        if (p.has('json')) await printJson(letters, wanted, limit, place, io);
        else await printGroups(letters, wanted, limit ?? 1, place, p, io);
      } finally {
        letters.close();
      }
      return 0;
    });
  },
};

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

async function printGroups(letters: Letters, wanted: (l: Letter) => boolean, limit: number, { compiled: { spec } }: Place, p: Parsed, io: Io): Promise<void> {
  const groups = new Map<string, Group>();
  let n = 0;
  let bare = 0;
  for await (const l of letters.all()) {
    if (io.signal.aborted) return;
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
  const rows = [...groups.values()].sort((a, b) => b.n - a.n || b.last - a.last);
  if (rows.length === 0) say(p, io, `${spec.name}  no dead letters${p.args.length > 0 && ['code', 'source', 'since'].some(f => p.has(f)) ? ' like that' : ''}`);
  else io.out.write(table(rows));
  const size = letters.bytes();
  if (bare > 0) say(p, io, `the table of dead letters was full (${bytes(DEAD_LETTER_BYTES)}): of ${plural(bare, 'letter')} position and code only were kept; pipe dlq drop makes room`);
  else if (size > DEAD_LETTER_BYTES / 2) say(p, io, `the table of dead letters takes ${bytes(size)} of ${bytes(DEAD_LETTER_BYTES)}; once it is full, position and code only are kept; pipe dlq drop makes room`);
  if (n > 0) say(p, io, `${plural(n, 'dead letter')}; pipe dlq show ${harmless(p.args[0] as string)} ID shows all of one`);
}

function table(groups: readonly Group[]): string {
  const head = ['COUNT', 'CODE', 'SOURCE', 'FIRST (UTC)', 'LAST (UTC)'];
  const cells = groups.map(g => [grouped(g.n), g.code, g.source === '' ? '-' : g.source, time(g.first), time(g.last)].map(harmless));
  const widths = head.map((h, j) => Math.max(h.length, ...cells.map(c => (c[j] as string).length)));
  const line = (c: readonly string[]): string => `${c.map((x, j) => (j === 0 ? x.padStart(widths[j] as number) : x.padEnd(widths[j] as number))).join('  ').trimEnd()}\n`;
  return line(head) + cells.map((c, i) => line(c) + (groups[i] as Group).examples.all().map(e => `${' '.repeat((widths[0] as number) + 2)}${e}\n`).join('')).join('');
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
