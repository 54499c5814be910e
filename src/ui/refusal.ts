import { PipeError, problemsOf, type Code } from '../errors.ts';
import type { ProblemAnswer } from './answers.ts';

/** What a request is refused with: an error with its HTTP status. */
export class Refusal extends PipeError {
  readonly status: number;

  constructor(status: number, code: Code, message: string, hint?: string) {
    super(code, message, { hint });
    this.status = status;
  }
}

export const notFound = (message: string, hint?: string): Refusal => new Refusal(404, 'user.usage.not_found', message, hint);
export const badValue = (message: string, hint?: string): Refusal => new Refusal(400, 'user.usage.bad_value', message, hint);

/** Statuses of codes that come from below; the longest prefix wins. */
const STATUSES: readonly (readonly [prefix: string, status: number])[] = [
  ['user.', 400], ['system.', 500], ['system.source.topic_missing', 404], ['system.sink.topic_missing', 404], ['system.source.unreachable', 503], ['system.sink.unreachable', 503],
  ['system.state.locked', 409], ['system.resource.busy', 503], ['system.resource.time_limit', 422], ['system.resource.memory', 422],
];

/** Status and body for what a handler threw; null where it is a bug of ours, of which nobody else is told. */
export function problemOf(error: unknown): { readonly status: number; readonly answer: ProblemAnswer } | null {
  const first = problemsOf(error)?.[0];
  if (first === undefined) return null;
  const { code, message, hint, span } = first;
  const [, status] = STATUSES.reduce((best, s) => (code.startsWith(s[0]) && s[0].length > best[0].length ? s : best), ['', 500] as const);
  return { status: first instanceof Refusal ? first.status : status, answer: { code, message, hint: hint ?? null, at: span === undefined || span.source.name !== 'filter' ? null : [span.start, span.end] } };
}
