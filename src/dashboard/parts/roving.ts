import { useEffect, useRef } from 'preact/hooks';
import type { RefObject } from 'preact';

/**
 * One tab stop for a list: arrows, Home and End move between its `[data-row]` elements, and Tab comes back to the one that was last.
 * It is done in the DOM after each rendering, as rows come and go with the news.
 */
export function useRoving<T extends HTMLElement>(): RefObject<T | null> {
  const ref = useRef<T>(null);
  const last = useRef<Element | null>(null);
  const heard = useRef<T | null>(null);
  useEffect(() => {
    const list = ref.current;
    if (list === null) return;
    const all = rows(list);
    const stop = all.find(r => r === last.current) ?? all[0];
    for (const r of all) r.tabIndex = r === stop ? 0 : -1;
    // the list may come after the page, or another may take its place
    if (heard.current === list) return;
    heard.current = list;
    list.addEventListener('focusin', e => { last.current = focused(list, e.target as Element) ?? last.current; });
    list.addEventListener('keydown', e => move(list, e));
  });
  return ref;
}

const rows = (list: HTMLElement): HTMLElement[] => [...list.querySelectorAll<HTMLElement>('[data-row]')];

/** Makes the row that has the focus the tab stop; null: it is none. */
function focused(list: HTMLElement, target: Element): Element | null {
  const row = target.closest('[data-row]');
  if (row !== null) for (const r of rows(list)) r.tabIndex = r === row ? 0 : -1;
  return row;
}

function move(list: HTMLElement, e: KeyboardEvent): void {
  const all = rows(list);
  const at = all.findIndex(r => r === document.activeElement);
  const next = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[e.key];
  if (at < 0 || next === undefined) return;
  e.preventDefault();
  all[Math.max(0, Math.min(all.length - 1, next))]?.focus();
}
