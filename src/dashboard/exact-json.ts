/** JSON where a number is kept as it was written: a browser would round 12345678901234567890 and drop the zeros of 1.50. */
export type Json = null | boolean | string | ExactNumber | readonly Json[] | Members;

export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Members of an object in their order, also where a name comes twice. */
export class Members {
  readonly all: readonly (readonly [name: string, value: Json])[];

  constructor(all: readonly (readonly [string, Json])[]) {
    this.all = all;
  }
}

const DEEPEST = 100;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"[^"\\]*(?:\\[^][^"\\]*)*"/y;
const BLANK = /[ \t\r\n]*/y;

/** undefined: it is no JSON, or deeper than anybody reads. */
export function readJson(text: string): Json | undefined {
  let at = 0;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? null;
    if (found !== null) at += found.length;
    return found;
  };
  const is = (char: string): boolean => { take(BLANK); if (text[at] !== char) return false; at++; return true; };
  const list = <T>(end: string, item: () => T): T[] => {
    const all: T[] = [];
    if (is(end)) return all;
    do all.push(item()); while (is(','));
    if (!is(end)) throw new SyntaxError();
    return all;
  };
  const string = (): string => { take(BLANK); return JSON.parse(take(STRING) ?? '') as string; };
  const value = (depth: number): Json => {
    if (depth > DEEPEST) throw new SyntaxError();
    take(BLANK);
    if (text[at] === '"') return string();
    if (is('[')) return list(']', () => value(depth + 1));
    if (is('{')) return new Members(list('}', () => { const name = string(); if (!is(':')) throw new SyntaxError(); return [name, value(depth + 1)] as const; }));
    for (const [word, of] of [['null', null], ['true', true], ['false', false]] as const) if (text.startsWith(word, at)) { at += word.length; return of; }
    const number = take(NUMBER);
    if (number === null) throw new SyntaxError();
    return new ExactNumber(number);
  };
  try {
    const whole = value(0);
    take(BLANK);
    return at === text.length ? whole : undefined;
  } catch {
    return undefined;
  }
}

/** YAML of a value in one line, as a test of a pipeline holds it. */
export function flow(value: Json): string {
  if (value instanceof ExactNumber) return value.text;
  if (value instanceof Members) return `{${value.all.map(([n, v]) => `${/^[A-Za-z_]\w*$/.test(n) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(n) ? n : JSON.stringify(n)}: ${flow(v)}`).join(', ')}}`;
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  return JSON.stringify(value);
}
