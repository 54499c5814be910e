/** One `$ command` of a fenced console block and the lines that it must print. */
export interface Step {
  readonly line: number;
  readonly command: string;
  /** A line `...` stands for any lines; `<..>` inside a line for any text; two blanks or more for any number: columns of tables are as wide as their figures. */
  readonly expected: readonly string[];
}

export interface Fence {
  readonly line: number;
  readonly language: string;
  /** Words after the language: ```console kafka. */
  readonly tags: readonly string[];
  readonly lines: readonly string[];
}

export function fences(markdown: string): Fence[] {
  const found: Fence[] = [];
  let open: { line: number; language: string; tags: string[]; lines: string[] } | null = null;
  markdown.split('\n').forEach((text, i) => {
    const mark = /^\s*```(\S*)\s*(.*)$/.exec(text);
    if (mark === null) open?.lines.push(text);
    else if (open === null) open = { line: i + 1, language: mark[1] as string, tags: (mark[2] as string).split(/\s+/).filter(Boolean), lines: [] };
    else { found.push(open); open = null; }
  });
  if (open !== null) throw new Error(`the fence at line ${(open as Fence).line} is never closed`);
  return found;
}

export function steps(f: Fence): Step[] {
  const found: { line: number; command: string; expected: string[] }[] = [];
  f.lines.forEach((text, i) => {
    const last = found.at(-1);
    if (text.startsWith('$ ')) found.push({ line: f.line + i + 1, command: text.slice(2), expected: [] });
    else if (last !== undefined && last.expected.length === 0 && last.command.endsWith('\\')) last.command = `${last.command.slice(0, -1)}${text.trim()}`;
    else if (last !== undefined) last.expected.push(text);
    else throw new Error(`line ${f.line + i + 1}: a console block begins with a command`);
  });
  return found;
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const lineMatches = (pattern: string, line: string): boolean => new RegExp(`^${pattern.split(/<[^<>]*>/).map(p => escape(p).replace(/ {2,}/g, ' +')).join('.*')}$`).test(line);

/** Why `actual` is not what the page shows, or null. */
export function mismatch(expected: readonly string[], actual: readonly string[]): string | null {
  const go = (e: number, a: number): boolean => {
    if (e === expected.length) return a === actual.length;
    if (expected[e] === '...') return Array.from({ length: actual.length - a + 1 }, (_, k) => a + k).some(k => go(e + 1, k));
    return a < actual.length && lineMatches(expected[e] as string, actual[a] as string) && go(e + 1, a + 1);
  };
  return go(0, 0) ? null : `expected\n${expected.join('\n')}\n--- but it printed\n${actual.join('\n')}`;
}
