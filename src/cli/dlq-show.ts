import { isUtf8 } from 'node:buffer';
import { basename } from 'node:path';
import type { PipelineSpec } from '../config/spec.ts';
import { meaningOf } from '../engine/letters/codes.ts';
import { recordOf, unfit, type Letter } from '../engine/letters/letter.ts';
import { Letters } from '../engine/letters/letters.ts';
import { PipeError, type Span } from '../errors.ts';
import type { Command, Io } from './command.ts';
import { dlqFlags, givenAs, onePipeline, withPlace } from './dlq-letters.ts';
import { bytes, grouped } from '../numbers.ts';
import { frame } from './render-error.ts';
import { useColor } from './report.ts';
import { harmless, safeJson, visible } from './text-width.ts';
import { shown } from './topics-render.ts';

/** Bytes that are shown of a key or value; `--raw` writes all of a value. */
const TEXT_BYTES = 64 << 10;
const HEX_BYTES = 4 << 10;
const HEX_WIDTH = 16;

export const dlqShow: Command = {
  name: 'dlq show',
  summary: 'shows all of one dead letter: its bytes, what is wrong with them, where, and what can be done',
  usage: 'PIPELINE ID|TOPIC-PARTITION-OFFSET',
  examples: [
    ['pipe dlq show fraud.yaml 17', 'number 17 of pipe dlq ls'],
    ['pipe dlq show fraud.yaml transactions-0-412', 'what became of a record'],
    ['pipe dlq show fraud.yaml 17 --raw > record.json', 'its value, byte for byte'],
  ],
  flags: [{ name: 'raw', value: 'boolean', summary: 'the bytes of the value on stdout, and nothing else' }, ...dlqFlags],
  run: async (p, io) => {
    const [, id, more] = p.args;
    if (id === undefined || more !== undefined) throw new PipeError('user.usage.missing_argument', 'pipe dlq show takes a pipeline and one dead letter', { hint: `pipe dlq ls ${p.args[0] ?? 'PIPELINE'} lists them` });
    const compiled = await onePipeline(p, io, 'dlq show', p.args);
    return withPlace(p, io, compiled, async place => {
      const found = await find(await Letters.open(place, io.signal), id.replace(/^#/, ''));
      const { spec } = compiled;
      if (found.length === 0) throw new PipeError('user.usage.bad_value', `pipeline "${spec.name}" has no dead letter "${id}" on the ${place.log.label}`, { hint: `pipe dlq ls ${givenAs(p, compiled)} --limit 20 lists them` });
      if (p.has('raw')) await raw(found, io);
      else if (p.has('json')) for (const l of found) io.out.write(`${safeJson(all(l, spec))}\n`);
      else io.out.write(found.map(l => text(l, spec, useColor(p.text('color'), { ...io, err: io.out }))).join('\n'));
      return 0;
    });
  },
};

async function find(letters: Letters, id: string): Promise<Letter[]> {
  const found: Letter[] = [];
  try {
    for await (const l of letters.all()) if (l.ref === id || (l.offset >= 0 && recordOf(l) === id)) found.push(l);
  } finally {
    letters.close();
  }
  return found;
}

async function raw(found: readonly Letter[], io: Io): Promise<void> {
  const l = found.find(x => unfit(x) !== 'not_kept') ?? found[0] as Letter;
  if (l.message === null) throw new PipeError('user.usage.bad_value', `the bytes of dead letter ${l.ref} were not kept: the table was full`, { hint: `they may still be in topic ${l.topic}, partition ${l.partition}, offset ${l.offset}` });
  const value = l.value ?? Buffer.alloc(0);
  if (io.out.isTTY && (!isUtf8(value) || visible(value.toString()) !== value.toString())) {
    throw new PipeError('user.usage.bad_value', 'the value holds control characters, which would act on the terminal', { hint: 'write it to a file or a pipe: --raw > FILE' });
  }
  if (!io.out.write(value)) await io.out.drained();
}

const all = (l: Letter, spec: PipelineSpec): unknown => ({
  pipeline: spec.name, id: l.ref, at: l.at, code: l.code, means: meaningOf(l.code)?.means ?? null, hint: meaningOf(l.code)?.hint ?? null, message: l.message, place: l.place, source: l.source,
  operator: l.operator, topic: l.topic, partition: l.partition, offset: l.offset, timestamp: l.timestamp, key: shown(l.key), value: shown(l.value), size: l.size, unfit: unfit(l),
});

function text(l: Letter, spec: PipelineSpec, color: boolean): string {
  const meaning = meaningOf(l.code);
  const line = (name: string, value: string): string => `  ${name.padEnd(9)} ${harmless(value)}\n`;
  const record = l.offset < 0 ? `a row made of many records of ${l.topic}` : `${l.topic} partition ${l.partition} offset ${l.offset}${l.timestamp === null ? '' : `, of ${time(l.timestamp)}`}`;
  return `dead letter ${harmless(l.ref)} of ${spec.name}\n${
    line('code', `${l.code}${meaning === null ? '' : `: ${meaning.means}`}`)}${
    line('message', l.message ?? 'not kept: the table of dead letters was full')}${
    line('kept', time(l.at))}${line('record', record)}${line('source', l.source)}${
    l.operator === null ? '' : line('operator', l.operator)}${
    l.place === null ? '' : line('place', l.place) + framed(l, spec, color)}${
    l.message === null ? '' : part('key', l.key, l.key?.length ?? 0) + part('value', l.value, l.size)}${
    meaning === null ? '' : line('hint', meaning.hint)}`;
}

/** Key or value: as text where it is UTF-8, else as a dump of its bytes. */
function part(name: string, x: Buffer | null, size: number | null): string {
  const label = `  ${name.padEnd(9)} `;
  if (x === null) return `${label}NULL\n`;
  const cut = size === null ? ', cut where it was too long for a topic' : size > x.length ? `, the first ${grouped(x.length)} of ${grouped(size)}` : '';
  const kind = isUtf8(x) || isUtf8(endOfText(x)) ? 'text' : 'hex';
  const most = kind === 'text' ? TEXT_BYTES : HEX_BYTES;
  const head = x.subarray(0, most);
  const lines = kind === 'text' ? visible(endOfText(head).toString()).split('\n') : dump(head);
  const more = x.length > most ? [`… ${bytes(x.length - most)} more: --raw writes all that was kept`] : [];
  return `${label}${grouped(x.length)} bytes${kind === 'text' ? '' : ', not UTF-8'}${cut}\n${[...lines, ...more].map(t => `    ${t}\n`).join('')}`;
}

/** Without the part of a character at the end of text that was cut. */
function endOfText(x: Buffer): Buffer {
  for (let n = 0; n < 4 && n < x.length; n++) {
    const head = x.subarray(0, x.length - n);
    if (isUtf8(head)) return head;
  }
  return x;
}

/** Lines of `offset  bytes in hexadecimal  as ASCII`. */
function dump(x: Buffer): string[] {
  const lines: string[] = [];
  for (let at = 0; at < x.length; at += HEX_WIDTH) {
    const row = x.subarray(at, at + HEX_WIDTH);
    const hex = [...row].map(b => b.toString(16).padStart(2, '0')).join(' ');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(3 * HEX_WIDTH - 1)}  ${[...row].map(b => (b >= 32 && b < 127 ? String.fromCharCode(b) : '.')).join('')}`);
  }
  return lines;
}

/** The lines of the file, as it is now, around the place; none where its SQL does not reach there. */
function framed(l: Letter, spec: PipelineSpec, color: boolean): string {
  const [, file = '', line, col] = /^([^]*):(\d+):(\d+)$/.exec(l.place ?? '') ?? [];
  if (basename(file) !== basename(spec.path)) return '';
  const source = spec.file;
  const lines = source.text.split('\n');
  const row = lines[Number(line) - 1];
  if (row === undefined || Number(col) > row.length) return '';
  const start = lines.slice(0, Number(line) - 1).reduce((n, t) => n + t.length + 1, 0) + Number(col) - 1;
  const inside = [...spec.steps, ...spec.sinks].some(({ sql }) => {
    const span: Span | undefined = sql?.span(0, sql.text.length);
    return span !== undefined && span.start <= start && start < span.end;
  });
  return inside ? frame({ source, start, end: start + 1 }, undefined, 'error', color).map(t => `  ${t}\n`).join('') : '';
}

const time = (ms: number): string => (Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString().replace('T', ' ').replace('Z', ' UTC') : '-');
