import { PipeError, exitCode, type Code } from '../errors.ts';
import { harmless } from './text-width.ts';

/** Worst first: what was damaged, what is wrong here, what is wrong elsewhere, what may pass. */
const WORST = [1, 31, 32, 33, 30, 20, 13, 3, 2, 11, 12, 10, 21] as const;

export interface Check {
  /** What was looked at: 'node', 'topic transactions'. */
  readonly check: string;
  /** unknown: could not be found out, and why. */
  readonly level: 'ok' | 'warning' | 'problem' | 'unknown';
  readonly message: string;
  readonly hint: string | null;
  /** Of a problem. */
  readonly code: Code | null;
}

export const ok = (check: string, message: string): Check => ({ check, level: 'ok', message, hint: null, code: null });
export const warning = (check: string, message: string, hint: string): Check => ({ check, level: 'warning', message, hint, code: null });
export const unknown = (check: string, message: string): Check => ({ check, level: 'unknown', message, hint: null, code: null });
export const problem = (check: string, code: Code, message: string, hint: string): Check => ({ check, level: 'problem', message, hint, code });

/** What a part of pipe has found, as a check. Throws what is no PipeError. */
export function failed(check: string, error: unknown): Check {
  if (!(error instanceof PipeError)) throw error;
  return { check, level: error.severity === 'warning' ? 'warning' : 'problem', message: error.message, hint: error.hint ?? null, code: error.code };
}

/** The exit code of the worst problem; 0 without any. */
export function worstExit(checks: readonly Check[]): number {
  const exits = new Set(checks.flatMap(c => (c.level === 'problem' && c.code !== null ? [exitCode(c.code)] : [])));
  return exits.size === 0 ? 0 : WORST.find(e => exits.has(e)) ?? 1;
}

const MARKS: Readonly<Record<Check['level'], string>> = { ok: 'ok', warning: 'warning', problem: 'PROBLEM', unknown: '?' };
const INDENT = ' '.repeat(9);

/** A check within `columns` columns, its hint below it. */
export function checkText(c: Check, columns: number): string {
  const text = wrap(`${c.check}: ${c.message}`, columns - INDENT.length);
  const hint = c.hint === null ? [] : wrap(`hint: ${c.hint}`, columns - INDENT.length);
  return [...text, ...hint].map((l, i) => `${i === 0 ? MARKS[c.level].padEnd(INDENT.length) : INDENT}${l}\n`).join('');
}

/** Lines of whole words; a word that is longer than a line stands alone. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of harmless(text).split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
