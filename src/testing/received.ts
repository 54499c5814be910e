import { testJson } from '../config/test-value.ts';
import { COLON, COMMA, JsonScanner, OPEN_OBJECT } from '../formats/json/scan.ts';
import { unescape } from '../formats/json/text.ts';

/** Columns of a row, each as its JSON text: 7500.00 and 7500 differ. */
export type Columns = ReadonlyMap<string, string>;

/** Columns of a record that a sink has written; none of one that is no JSON object. */
export function columnsOf(value: Buffer | null): Columns {
  const columns = new Map<string, string>();
  const scan = new JsonScanner();
  const b = value ?? Buffer.alloc(0);
  const e = b.length;
  let p = scan.blanks(b, 0, e);
  if (b[p] !== OPEN_OBJECT) return columns;
  p = scan.blanks(b, p + 1, e);
  while (p < e) {
    const key = scan.string(b, p + 1, e);
    if (key < 0) break;
    const colon = scan.blanks(b, key, e);
    if (b[colon] !== COLON) break;
    const from = scan.blanks(b, colon + 1, e);
    const to = scan.value(b, from, e, 2);
    if (to < 0) break;
    columns.set(unescape(b, p + 1, key - 1), sameText(b.toString('utf8', from, to)));
    p = scan.blanks(b, to, e);
    if (b[p] !== COMMA) break;
    p = scan.blanks(b, p + 1, e);
  }
  return columns;
}

/** Columns that a test expects. */
export const expectedColumns = (value: Readonly<Record<string, unknown>>): Columns => new Map(Object.entries(value).map(([name, v]) => [name, sameText(testJson(v))]));

/** A text can be escaped in several ways; here it is in one. */
const sameText = (json: string): string => (json.startsWith('"') ? JSON.stringify(JSON.parse(json)) : json);
