import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { px } from '../format.ts';

const ROW = 32;
const AROUND = 8;

interface Props<T> {
  readonly rows: readonly T[];
  readonly idOf: (row: T) => string;
  readonly label: string;
  readonly chosen: string | null;
  readonly choose: (row: T) => void;
  readonly children: (row: T) => ComponentChildren;
  /** CSS class of a row: its columns. */
  readonly columns: string;
  /** Called when the last rows come into view. */
  readonly more?: (() => void) | undefined;
  /** Keeps the newest row, the last one, in view as long as the reader is there. */
  readonly stick?: boolean;
}

/** A list of any length of which only what is in view is in the page; one tab stop, arrows and page keys choose. */
export function VirtualList<T>({ rows, idOf, label, chosen, choose, children, columns, more, stick = false }: Props<T>) {
  const ref = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const measure = (): void => { const e = ref.current; if (e !== null) setView(v => (v.top === e.scrollTop && v.height === e.clientHeight ? v : { top: e.scrollTop, height: e.clientHeight })); };
  const atEnd = useRef(true);
  useEffect(() => {
    const watch = new ResizeObserver(measure);
    if (ref.current !== null) watch.observe(ref.current);
    return () => watch.disconnect();
  }, []);
  useEffect(() => { if (stick && atEnd.current && ref.current !== null) ref.current.scrollTop = rows.length * ROW; measure(); }, [rows]);
  const first = Math.max(0, Math.floor(view.top / ROW) - AROUND);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / ROW) + AROUND);
  const at = chosen === null ? -1 : rows.findIndex(r => idOf(r) === chosen);
  useEffect(() => { if (last >= rows.length - 20 && rows.length > 0) more?.(); }, [last, rows.length]);

  const move = (to: number): void => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, to))];
    const e = ref.current;
    if (row === undefined || e === null) return;
    const top = Math.max(0, Math.min(rows.length - 1, to)) * ROW;
    if (top < e.scrollTop) e.scrollTop = top;
    else if (top + ROW > e.scrollTop + e.clientHeight) e.scrollTop = top + ROW - e.clientHeight;
    choose(row);
  };
  const onKey = (e: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(view.height / ROW) - 1);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: rows.length - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    move(to);
  };
  const id = (row: T): string => `row ${idOf(row)}`.replaceAll(' ', '-');
  const shown = at >= first && at < last;
  return <div
    ref={ref} class="rows" style={{ height: px(rows.length * ROW) }} role="listbox" aria-label={label} tabIndex={0} aria-activedescendant={shown ? id(rows[at] as T) : undefined} onKeyDown={onKey}
    onScroll={() => { const e = ref.current; if (e !== null) atEnd.current = e.scrollTop + e.clientHeight >= e.scrollHeight - ROW; measure(); }}
  >
    <div class="pad" role="presentation" style={{ height: px(rows.length * ROW) }}>
      {rows.slice(first, last).map((row, i) => <div
        key={idOf(row)} id={id(row)} class={`row ${columns}`} role="option" aria-selected={idOf(row) === chosen} aria-setsize={rows.length} aria-posinset={first + i + 1}
        style={{ top: px((first + i) * ROW) }} onClick={() => choose(row)}
      >{children(row)}</div>)}
    </div>
  </div>;
}
