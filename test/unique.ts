import { randomBytes } from 'node:crypto';

/** A name that no other test and no other run uses. */
export const unique = (name: string): string => `${name}-${randomBytes(5).toString('hex')}`;
