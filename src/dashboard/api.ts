import type { ProblemAnswer } from '../ui/answers.ts';
import { address, type Query } from './address.ts';
import { refuse, token } from './session.ts';

/** What the server says is wrong: its code, its words and what to do. */
export class ApiError extends Error {
  readonly code: string;
  readonly hint: string | null;
  readonly status: number;
  /** [start, end) in the text that was sent, where that is wrong. */
  readonly at: readonly [number, number] | null;

  constructor(status: number, code: string, message: string, hint: string | null, at: readonly [number, number] | null = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.at = at;
  }

  static of(status: number, { code, message, hint, at }: ProblemAnswer): ApiError { return new ApiError(status, code, message, hint, at); }
}

/** Where the server answers. */
export const url = (parts: readonly string[], query: Query = {}): string => `/api/v1/${address(parts, query)}`;

/** An answer with a good status; throws ApiError, and for a server that is away `system.dashboard.away`. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, cache: 'no-store', headers: { ...init.headers, authorization: `Bearer ${token.peek() ?? ''}` } });
  } catch (e) {
    if (init.signal?.aborted === true) throw e;
    throw new ApiError(0, 'system.dashboard.away', 'pipe does not answer', 'is it still running? Start it again: pipe ui');
  }
  if (response.ok) return response;
  if (response.status === 401) refuse();
  const said = await response.json().catch(() => null) as Partial<ProblemAnswer> | null;
  throw new ApiError(response.status, said?.code ?? `http.${response.status}`, said?.message ?? `the server answered ${response.status}`, said?.hint ?? null, said?.at ?? null);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return await (await request(path, signal === undefined ? {} : { signal })).json() as T;
}

export async function post<T>(path: string, body: unknown = {}): Promise<T> {
  return await (await request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).json() as T;
}
