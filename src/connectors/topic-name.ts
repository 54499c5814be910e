import { PipeError } from '../errors.ts';

/** Throws user.usage.bad_value unless Kafka would take the name too. */
export function checkTopicName(name: string): void {
  if (/^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..') return;
  throw new PipeError('user.usage.bad_value', `"${name}" cannot be the name of a topic`, { hint: 'up to 249 letters, digits, ".", "_" and "-"' });
}
