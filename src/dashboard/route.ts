import { signal } from '@preact/signals';
import { address, type Query } from './address.ts';

/** Where the page is: the parts of the path in the fragment, decoded, and its query. */
export interface Route {
  readonly parts: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}

function read(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?', 2);
  const decoded = (part: string): string => { try { return decodeURIComponent(part); } catch { return part; } };
  const parts = path.split('/').filter(p => p !== '').map(decoded);
  return { parts: parts.length === 0 ? ['jobs'] : parts, query: Object.fromEntries(new URLSearchParams(query)) };
}

export const route = signal(read());

/** Called when the fragment has changed. */
export function reroute(): void {
  route.value = read();
}

/** The link to a place. */
export const to = (parts: readonly string[], query: Query = {}): string => `#/${address(parts, query)}`;

export function go(parts: readonly string[], query: Query = {}): void {
  location.hash = to(parts, query);
}

/** The same place with another query, without a step in the history. */
export function requery(query: Query): void {
  history.replaceState(null, '', to(route.peek().parts, query));
  reroute();
}
