import { signal } from '@preact/signals';

const KEY = 'pipe-token';

/** What proves to the server who asks; null: none. It comes in the fragment of the address, which no browser sends, and stays with this tab. */
export const token = signal<string | null>(sessionStorage.getItem(KEY));

/** Whether the server has said that the token is wrong. */
export const refused = signal(false);

/** Takes a token out of the address, so that it is neither shown nor copied with it. */
export function takeToken(): void {
  const { token: given, to } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  if (given === undefined || given === '') return;
  sessionStorage.setItem(KEY, given);
  history.replaceState(null, '', `${location.pathname}#${to ?? '/jobs'}`);
  token.value = given;
  refused.value = false;
}

/** The server does not know the token (any more). */
export function refuse(): void {
  refused.value = true;
}
