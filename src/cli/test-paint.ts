/** What is coloured in the output of `pipe test`. */
export type Style = 'pass' | 'fail' | 'expected' | 'received' | 'dim' | 'bold';
export type Paint = (style: Style, text: string) => string;

const CODES: Readonly<Record<Style, string>> = { pass: '32', fail: '31;1', expected: '31', received: '32', dim: '2', bold: '1' };

/** How and where it is shown. */
export interface Look {
  readonly paint: Paint;
  readonly color: boolean;
  /** Of a line, at most. */
  readonly columns: number;
}

export const painter = (color: boolean): Paint => (color ? (style, text) => `\u001b[${CODES[style]}m${text}\u001b[0m` : (_, text) => text);
