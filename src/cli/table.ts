import { fitWidths, recordLines, tableWidth } from './table-fit.ts';
import { fit, harmless, width, type TableColumn } from './text-width.ts';

/**
 * A box that is printed as its rows come: the first rows fix the widths, later texts are cut to them. A number that is too wide,
 * another day in a narrow box, or another width of the terminal begins a new one. Where none fits, a row is lines of `name: value`.
 */
export class Table {
  readonly #columns: readonly TableColumn[];
  readonly #room: () => number;
  #widths: readonly number[] | null = null;
  /** The day that stands in a column's head instead of in its cells. */
  #days: readonly (string | null)[] = [];
  /** The terminal that the widths were made for. */
  #madeFor = 0;
  #cut = false;

  /** `room` is the width of the terminal, which may change; Infinity cuts nothing. */
  constructor(columns: readonly TableColumn[], room: () => number) {
    this.#columns = columns.map(c => ({ ...c, name: harmless(c.name) }));
    this.#room = room;
  }

  /** Whether something of a name or a text was left out. */
  get cut(): boolean { return this.#cut; }

  /** Lines of some more rows, with the head before the first ones. */
  rows(rows: readonly (readonly string[])[]): string {
    const cells = rows.map(r => r.map(harmless));
    const before = this.#widths !== null && !this.#holds(this.#widths, cells) ? this.end() : '';
    let head = '';
    if (this.#widths === null) {
      this.#madeFor = this.#room();
      this.#fit(cells);
      if (this.#widths === null) {
        this.#cut ||= cells.some(r => this.#columns.some((c, j) => width(`  ${c.name}: ${r[j]}`) > this.#madeFor));
        return before + cells.map(r => recordLines(this.#columns, r, this.#madeFor)).join('');
      }
      head = this.#head(this.#widths);
    }
    const widths = this.#widths;
    this.#cut ||= cells.some(r => this.#shown(r).some((x, j) => width(x) > (widths[j] as number)));
    return before + head + cells.map(r => this.#line(this.#shown(r).map((x, j) => fit(x, widths[j] as number, (this.#columns[j] as TableColumn).right)))).join('');
  }

  #fit(cells: readonly (readonly string[])[]): void {
    this.#days = [];
    this.#widths = fitWidths(this.#columns, cells, this.#madeFor);
    if (this.#widths !== null) return;
    this.#days = this.#columns.map((_, j) => commonDay(cells.map(r => r[j] as string)));
    this.#widths = fitWidths(this.#columns.map((c, j) => ({ ...c, type: this.#days[j] ?? c.type })), [...cells.map(r => this.#shown(r)), this.#days.map(d => d ?? '')], this.#madeFor);
  }

  #shown(cells: readonly string[]): readonly string[] { return cells.map((x, j) => (this.#days[j] == null || !TIME.test(x) ? x : x.slice(DAY))); }

  /** The bottom line; the next rows begin a new box. */
  end(): string {
    if (this.#widths === null) return '';
    const line = tableWidth(this.#widths) <= this.#room() ? rule(this.#widths, '└┴┘') : '';
    this.#widths = null;
    return line;
  }

  #holds(widths: readonly number[], cells: readonly (readonly string[])[]): boolean {
    const sameDay = (x: string, j: number): boolean => this.#days[j] == null || !TIME.test(x) || x.startsWith(this.#days[j]);
    return this.#room() === this.#madeFor && cells.every(r => r.every(sameDay) && this.#shown(r).every((x, j) => this.#columns[j]?.whole !== true || width(x) <= (widths[j] as number)));
  }

  #head(widths: readonly number[]): string {
    const names = this.#columns.map((c, j) => fit(c.name, widths[j] as number));
    const types = this.#columns.map((c, j) => this.#days[j] ?? c.type);
    this.#cut ||= this.#columns.some((c, j) => width(c.name) > (widths[j] as number));
    const second = types.every(t => t === '') ? '' : this.#line(types.map((t, j) => fit(t, widths[j] as number)));
    return rule(widths, '┌┬┐') + this.#line(names) + second + rule(widths, '├┼┤');
  }

  #line(cells: readonly string[]): string { return `│ ${cells.join(' │ ')} │\n`; }
}

const TIME = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}/;
/** `2024-01-01 `. */
const DAY = 11;

/** The one day of these times, or null. */
function commonDay(cells: readonly string[]): string | null {
  const days = new Set(cells.filter(x => x !== 'NULL').map(x => (TIME.test(x) ? x.slice(0, DAY - 1) : '')));
  const [day = ''] = days;
  return days.size === 1 && day !== '' ? day : null;
}

const rule = (widths: readonly number[], [left, middle, right]: string | readonly string[]): string => `${left}${widths.map(w => '─'.repeat(w + 2)).join(middle)}${right}\n`;
