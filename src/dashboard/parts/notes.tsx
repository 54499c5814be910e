import type { ComponentChildren } from 'preact';
import { ApiError } from '../api.ts';
import { Command } from './copy.tsx';

/** A place where there is nothing yet, and what to do about it. */
export function Empty({ title, children, command }: { readonly title: string; readonly children?: ComponentChildren; readonly command?: string | undefined }) {
  return <div class="empty">
    <h2>{title}</h2>
    {children === undefined ? null : <p>{children}</p>}
    {command === undefined ? null : <Command text={command} />}
  </div>;
}

/** What went wrong, in the words of the server. */
export function Problem({ error }: { readonly error: unknown }) {
  const e = error instanceof ApiError ? error : new ApiError(0, 'internal.dashboard.failed', error instanceof Error ? error.message : String(error), null);
  return <div class="note bad" role="alert">
    <p><strong>{e.message}</strong> <code>{e.code}</code></p>
    {e.hint === null ? null : <p>{e.hint}</p>}
  </div>;
}

export const Loading = () => <p class="loading" role="status">Loading…</p>;

/** A number with its name. */
export function Metric({ name, value, tone, title }: { readonly name: string; readonly value: ComponentChildren; readonly tone?: 'warn' | 'bad' | undefined; readonly title?: string | undefined }) {
  return <div class={tone === undefined ? 'metric' : `metric ${tone}`} title={title}><dt>{name}</dt><dd>{value}</dd></div>;
}
