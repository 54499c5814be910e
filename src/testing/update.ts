import { NOT_TEXT, type ListNode, type MapNode, type Node } from '../config/tree.ts';
import type { SourceText } from '../errors.ts';
import type { Columns } from './received.ts';
import type { Failure, TestResult } from './run-test.ts';

type RowsFailure = Failure & { readonly k: 'rows' };

/** A piece of a file, [start, end) in UTF-16 units, and what is to stand there. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface Update {
  /** The file as it is to be. */
  readonly text: string;
  readonly rows: number;
  readonly tests: number;
  /** Names of tests whose rows cannot be written where they stand. */
  readonly left: readonly string[];
}

/** What makes the rows that tests expect those that were received: only what differs is written, so that comments and form stay. */
export function updateOf(source: SourceText, results: readonly TestResult[]): Update {
  const edits: Edit[] = [];
  const left: string[] = [];
  let rows = 0;
  let tests = 0;
  for (const { test, failures } of results) {
    const found = failures.filter((f): f is RowsFailure => f.k === 'rows');
    const made = found.map(f => (isWritten(f.spec.node, source) ? editsOf(f, source.text) : null));
    if (found.length === 0) continue;
    if (made.includes(null)) { left.push(test.name); continue; }
    edits.push(...made.flatMap(e => e ?? []));
    rows += found.reduce((n, f) => n + f.diffs.length, 0);
    tests++;
  }
  return { text: applied(source.text, edits), rows, tests, left };
}

function applied(text: string, edits: readonly Edit[]): string {
  let out = '';
  let at = 0;
  for (const e of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    out += text.slice(at, Math.max(at, e.start)) + e.text;
    at = Math.max(at, e.end);
  }
  return out + text.slice(at);
}

/** False where an anchor brings a part from elsewhere, or where there is none. */
function isWritten(node: Node, source: SourceText): node is ListNode {
  const inside = (n: Node, within: Node): boolean => n.span.source === source && n.span.start >= within.span.start && n.span.end <= within.span.end && (n.k !== 'scalar' || !n.fromEnv);
  return node.k === 'list' && node.items.every(item => inside(item, node) && item.k === 'map' && item.entries.every(e => inside(e.value, item)));
}

function editsOf({ spec, received, diffs }: RowsFailure, text: string): Edit[] {
  const list = spec.node as ListNode;
  const rows = spec.rows.map(r => r.node);
  const changed = diffs.flatMap(d => (d.k === 'differs' ? changedValues(rows[d.expected] as MapNode, received[d.received] as Columns) : []));
  const gone = new Set(diffs.flatMap(d => (d.k === 'missing' ? [d.expected] : [])));
  const named = new Set(rows.flatMap(r => r.entries.map(e => e.key)));
  const added = diffs.flatMap(d => (d.k === 'unexpected' ? [[...received[d.received] as Columns].filter(([name]) => named.size === 0 || named.has(name))] : []));
  return [...changed, ...(text[list.span.start] === '[' ? flowEdits(list, rows, gone, added) : blockEdits(rows, gone, added, text, spec.nameSpan.end))];
}

type Row = readonly (readonly [name: string, json: string])[];

function changedValues(row: MapNode, received: Columns): Edit[] {
  return row.entries.flatMap(({ key, keySpan, value }) => {
    const to = received.get(key);
    if (to === undefined) return [];
    const wanted = yamlText(to, value.k === 'scalar' && value.plain);
    const { source: { text }, start, end } = value.span;
    // a name without a value stands for both
    if (start === keySpan.start) return [afterName(text, keySpan.end, wanted)];
    return wanted === text.slice(start, end) ? [] : [{ start, end, text: beforeComment(text, end, wanted) }];
  });
}

/** A value behind a name that has none, and perhaps no colon. */
function afterName(text: string, end: number, value: string): Edit {
  const colon = /^ *:/.exec(text.slice(end))?.[0];
  const at = end + (colon?.length ?? 0);
  return { start: at, end: at, text: beforeComment(text, at, colon === undefined ? `: ${value}` : ` ${value}`) };
}

/** Without a space a comment would be a part of the value. */
const beforeComment = (text: string, at: number, value: string): string => (text[at] === '#' ? `${value} ` : value);

const flowRow = (row: Row): string => `{${row.map(([name, json]) => `${yamlText(JSON.stringify(name), true)}: ${yamlText(json, true)}`).join(', ')}}`;

function flowEdits(list: ListNode, rows: readonly MapNode[], gone: ReadonlySet<number>, added: readonly Row[]): Edit[] {
  const last = rows.at(-1);
  const more = added.map(flowRow).join(', ');
  if (last === undefined || gone.size === rows.length) return [{ start: list.span.start, end: list.span.end, text: `[${more}]` }];
  const cuts = rows.flatMap((row, i): Edit[] => {
    if (!gone.has(i)) return [];
    const next = rows[i + 1];
    // behind the last row that stays nothing is left to stand before
    const before = rows.slice(0, i).findLast((_, j) => !gone.has(j));
    const tail = rows.slice(i).every((_, j) => gone.has(i + j));
    return [tail ? { start: before?.span.end ?? row.span.start, end: row.span.end, text: '' } : { start: row.span.start, end: next?.span.start ?? row.span.end, text: '' }];
  });
  return [...cuts, ...(more === '' ? [] : [{ start: last.span.end, end: last.span.end, text: `, ${more}` }])];
}

/** Rows of which each begins with "- " on a line of its own. */
function blockEdits(rows: readonly MapNode[], gone: ReadonlySet<number>, added: readonly Row[], text: string, nameEnd: number): Edit[] {
  const lineStart = (at: number): number => text.lastIndexOf('\n', at - 1) + 1;
  const lineEnd = (at: number): number => { const end = text.indexOf('\n', at); return end < 0 ? text.length : end + 1; };
  const ends = rows.map(r => lineEnd(lastOf(r)));
  const first = rows[0] as MapNode;
  const dash = text.lastIndexOf('-', first.span.start - 1);
  const indent = text.slice(lineStart(dash), dash);
  const block = text[first.span.start] !== '{';
  const cuts = rows.flatMap((row, i) => (gone.has(i) ? [{ start: lineStart(row.span.start), end: ends[i] as number, text: '' }] : []));
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const write = (row: Row): string => (block ? row.map(([name, json], j) => `${indent}${j === 0 ? '- ' : '  '}${yamlText(JSON.stringify(name), true)}: ${yamlText(json, true)}${eol}`).join('') : `${indent}- ${flowRow(row)}${eol}`);
  const at = ends.at(-1) as number;
  const more = added.map(write).join('');
  const broken = at === text.length && !text.endsWith('\n') && !gone.has(rows.length - 1);
  const empty = gone.size === rows.length && more === '';
  // the colon stands right behind the name
  const colon = text.indexOf(':', nameEnd) + 1;
  return [...cuts, ...(empty ? [{ start: colon, end: colon, text: ' []' }] : []), ...(more === '' ? [] : [{ start: at, end: at, text: `${broken ? eol : ''}${more}` }])];
}

/** Where the last value of a row ends: a block map ends behind the blanks and comments that follow. */
function lastOf(row: MapNode): number {
  const value = row.entries.at(-1)?.value;
  if (row.span.source.text[row.span.start] === '{' || value === undefined) return row.span.end - 1;
  return value.k === 'map' ? lastOf(value) : Math.max(value.span.start, value.span.end - 1);
}

const PLAIN = /^[A-Za-z_](?:[A-Za-z0-9_ -]*[A-Za-z0-9_])?$/;

/** A JSON value in YAML; `plain`: a text may stand without quotes. */
function yamlText(json: string, plain: boolean): string {
  if (!json.startsWith('"')) return json;
  const text = JSON.parse(json) as string;
  return plain && PLAIN.test(text) && !NOT_TEXT.test(text) ? text : json;
}
