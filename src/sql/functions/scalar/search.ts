import { BOOLEAN, INT, STRING } from '../../types.ts';
import { lengthOf, position, splitBy } from '../../values/text.ts';
import type { ScalarDef } from '../define.ts';
import { simple, strict, text, whole } from '../overload.ts';

const locate = (seek: string, s: string, from: number): number => (from < 1 || from - 1 > lengthOf(s) ? 0 : position(s, seek, from));

/** Parts between separators; an empty separator means white space, as in Flink. */
const part = (s: string, parts: readonly string[], index: number): string | null => (s === '' || index < 0 ? null : parts[index] ?? null);

const splitByCode = (s: string, code: number, index: number): string | null => (code < 1 || code > 255 ? null : part(s, s.split(String.fromCharCode(code)), index));

const splitIndex = simple({
  name: 'split_index', summary: 'The part of a text with a 0-based index between separators; NULL when there is none.', syntax: 'SPLIT_INDEX(text, separator, index)', params: [text, text, whole], returns: STRING, returnsNull: true,
  fn: (s: string, separator: string, index: number) => part(s, separator === '' ? s.split(/\s/) : splitBy(s, separator), index),
  examples: [{ sql: "SPLIT_INDEX('a,b,,c', ',', 1)", result: 'b' }, { sql: "SPLIT_INDEX('a,b,,c', ',', 2)", result: '' }, { sql: "SPLIT_INDEX('a,b', ',', 2)", result: 'NULL' }, { sql: "SPLIT_INDEX('a,b', 44, 0)", result: 'a' }],
});

export const searchFunctions: readonly ScalarDef[] = [
  simple({
    name: 'position', summary: '1-based position of a text in another; 0 when it is not there.', syntax: 'POSITION(search IN text)', params: [text, text], returns: INT, fn: (seek: string, s: string) => position(s, seek),
    examples: [{ sql: "POSITION('l' IN 'hello')", result: '3' }, { sql: "POSITION('x' IN 'hello')", result: '0' }, { sql: "POSITION('' IN 'hello')", result: '1' }],
  }),
  simple({
    name: 'locate', summary: '1-based position of a text in another at or after a position; 0 when it is not there.', syntax: 'LOCATE(search, text [, from])', params: [text, text, whole], optional: 1, returns: INT,
    fn: (seek: string, s: string, from = 1) => locate(seek, s, from), examples: [{ sql: "LOCATE('l', 'hello', 4)", result: '4' }, { sql: "LOCATE('l', 'hello', 0)", result: '0' }],
  }),
  simple({ name: 'instr', summary: '1-based position in a text of another; 0 when it is not there.', syntax: 'INSTR(text, search)', params: [text, text], returns: INT, fn: (s: string, seek: string) => position(s, seek), examples: [{ sql: "INSTR('hello', 'lo')", result: '4' }] }),
  simple({
    name: 'startswith', summary: 'Whether a text starts with another.', syntax: 'STARTSWITH(text, start)', params: [text, text], returns: BOOLEAN, fn: (s: string, start: string) => s.startsWith(start),
    js: ([s, start]) => `${s}.startsWith(${start})`, examples: [{ sql: "STARTSWITH('hello', 'he')", result: 'TRUE' }, { sql: "STARTSWITH('hello', '')", result: 'TRUE' }],
  }),
  simple({
    name: 'endswith', summary: 'Whether a text ends with another.', syntax: 'ENDSWITH(text, end)', params: [text, text], returns: BOOLEAN, fn: (s: string, end: string) => s.endsWith(end),
    js: ([s, end]) => `${s}.endsWith(${end})`, examples: [{ sql: "ENDSWITH('hello', 'he')", result: 'FALSE' }],
  }),
  {
    ...splitIndex,
    resolve: (args, unit) => {
      const code = args[1] === undefined ? null : whole.accept(args[1].type);
      const others = args.length === 3 && args[0]?.type.k === 'string' && whole.accept((args[2] as typeof args[0]).type) !== null;
      if (code !== null && args[1]?.type.k !== 'null' && others) return strict('split_index', [STRING, INT, INT], STRING, splitByCode, { returnsNull: true });
      return splitIndex.resolve(args, unit);
    },
  },
];
