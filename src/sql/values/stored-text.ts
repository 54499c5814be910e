/*
 * Text in the state file. SQLite holds UTF-8, which has no lone surrogates, and two texts that differ in them would become one:
 * such a text is stored as a BLOB of its UTF-16LE units.
 */
export const saveText = (v: unknown): string | Uint8Array | null => (v === null ? null : (v as string).isWellFormed() ? (v as string) : Buffer.from(v as string, 'utf16le'));

export const loadText = (v: unknown): string | null => (v instanceof Uint8Array ? Buffer.from(v.buffer, v.byteOffset, v.length).toString('utf16le') : (v as string | null));
