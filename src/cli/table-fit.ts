import { fit, width, type TableColumn } from './text-width.ts';

/** Wider cells are cut even where there is room, unless there is no end of it. */
const MAX_CELL = 60;
/** Texts are cut down to this first, then types in the head, then names, then texts to the least that still says something. */
const GOOD_TEXT = 16;
const LEAST_TEXT = 6;
/** Numbers that grow by a digit must not begin a new box each time. */
const LEAST_NUMBER = 6;

/** Columns that the lines of a table take. */
export const tableWidth = (widths: readonly number[]): number => widths.reduce((n, w) => n + w + 3, 1);

/** The width of each column so that the table fits into `room`: texts give way, the widest first, numbers and times never; null where that is not enough. */
export function fitWidths(columns: readonly TableColumn[], cells: readonly (readonly string[])[], room: number): number[] | null {
  const body = columns.map((_, j) => Math.max(1, ...cells.map(r => width(r[j] as string))));
  const widths = columns.map((c, j) => Math.min(c.whole || room === Infinity ? Infinity : MAX_CELL, Math.max(width(c.name), width(c.type), body[j] as number)));
  const over = (): number => tableWidth(widths) - room;
  shrink(widths, columns.map((c, j) => (c.whole ? (widths[j] as number) : GOOD_TEXT)), over());
  shrink(widths, columns.map((c, j) => (c.whole ? Math.max(LEAST_NUMBER, width(c.name), body[j] as number) : (widths[j] as number))), over());
  shrink(widths, columns.map((c, j) => (c.whole ? Math.max(LEAST_NUMBER, body[j] as number) : (widths[j] as number))), over());
  shrink(widths, columns.map((c, j) => (c.whole ? (widths[j] as number) : LEAST_TEXT)), over());
  return over() > 0 ? null : widths;
}

/** Whether the table fits into `room` with all names and numbers as they are, and of each text as much as says something. */
export function fitsWell(columns: readonly TableColumn[], cells: readonly (readonly string[])[], room: number): boolean {
  const widths = fitWidths(columns, cells, room);
  return widths !== null && columns.every((c, j) => (widths[j] as number) >= Math.max(width(c.name), ...cells.map(r => (c.whole ? width(r[j] as string) : Math.min(GOOD_TEXT, width(r[j] as string))))));
}

/** Each row as lines of its own, a column each, all of it: the terminal breaks what is longer. */
export function recordList(columns: readonly TableColumn[], cells: readonly (readonly string[])[], room: number): string {
  const widest = Math.max(0, ...columns.map(c => width(c.name)));
  return cells.map((r, i) => `${`── row ${i + 1} `.padEnd(Math.min(room, widest + 20), '─')}\n${columns.map((c, j) => `${fit(c.name, widest)}  ${r[j]}\n`).join('')}`).join('');
}

/** Takes `over` columns from the widest ones that are above their least, one by one. */
function shrink(widths: number[], least: readonly number[], over: number): void {
  for (let n = over; n > 0; n--) {
    const spare = widths.map((w, j) => (w > (least[j] as number) ? w : 0));
    const widest = Math.max(...spare);
    if (widest === 0) return;
    widths[spare.indexOf(widest)] = widest - 1;
  }
}

/** A row as `name: value`, as many to a line as fit; further lines are indented. */
export function recordLines(columns: readonly TableColumn[], cells: readonly string[], room: number): string {
  const lines: string[] = [];
  for (const [j, c] of columns.entries()) {
    const pair = `${c.name}: ${cells[j]}`;
    const last = lines.at(-1);
    if (last !== undefined && width(last) + 2 + width(pair) <= room) lines[lines.length - 1] = `${last}  ${pair}`;
    else lines.push(cut(`${last === undefined ? '' : '  '}${pair}`, room));
  }
  return `${lines.join('\n')}\n`;
}

const cut = (text: string, room: number): string => (width(text) > room ? fit(text, Math.max(1, room)) : text);
