import { signal } from '@preact/signals';
import { go } from './route.ts';

export const helpOpen = signal(false);

/** What `g` and a letter lead to. */
export const PLACES = [['j', 'jobs', 'Jobs'], ['t', 'topics', 'Topics'], ['s', 'state', 'State'], ['d', 'dead', 'Dead letters'], ['c', 'config', 'Config']] as const;

/** Keys of the page that is shown, by what they do. */
const local = new Map<string, () => void>();

/** Lets `key` do something while a page is there; the returned function ends that. */
export function bind(key: string, action: () => void): () => void {
  local.set(key, action);
  return () => { if (local.get(key) === action) local.delete(key); };
}

const writes = (e: Element | null): boolean => e instanceof HTMLTextAreaElement || e instanceof HTMLSelectElement || (e instanceof HTMLInputElement && !['checkbox', 'radio', 'button'].includes(e.type));

let after = '';

/** Keys of every page: `?`, `/`, `g` and a letter, Escape out of a field. */
export function onKey(e: KeyboardEvent): void {
  if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return;
  const at = document.activeElement;
  if (writes(at)) {
    if (e.key === 'Escape') (at as HTMLElement).blur();
    return;
  }
  if (document.querySelector('dialog[open]') !== null) return;
  const before = after;
  after = '';
  if (before === 'g') {
    const place = PLACES.find(p => p[0] === e.key);
    if (place !== undefined) { e.preventDefault(); go([place[1]]); }
    return;
  }
  if (e.key === 'g') { after = 'g'; return; }
  if (e.key === '?') { e.preventDefault(); helpOpen.value = true; return; }
  if (e.key === '/') {
    const field = document.querySelector<HTMLElement>('[data-filter]');
    if (field !== null) { e.preventDefault(); field.focus(); }
    return;
  }
  const action = local.get(e.key);
  if (action !== undefined) { e.preventDefault(); action(); }
}
