/** A name for tables and columns of the state file: lower case letters, digits and _. Two texts may have one. */
export const identifier = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '') || 'c';
