import { isUtf8 } from 'node:buffer';
import { BACKSLASH, CLOSE_OBJECT, COMMA, JsonScanner, OPEN_OBJECT } from '../../formats/json/scan.ts';
import { plainNumber, scalar, unescape } from '../../formats/json/text.ts';

/** The text of one field of JSON objects: what a STRING column would read, so that keys of any writer are alike. */
export class JsonField {
  readonly #scan = new JsonScanner();
  readonly #name: string;
  /** As it stands in most records. */
  readonly #bytes: Buffer;

  constructor(name: string) {
    this.#name = name;
    this.#bytes = Buffer.from(name);
  }

  /** Null when the field is missing or null, undefined when `line` is no JSON object. Of a name that comes twice the last one counts. */
  text(line: Buffer): string | null | undefined {
    const scan = this.#scan;
    const e = line.length;
    let p = scan.blanks(line, 0, e);
    if (line[p] !== OPEN_OBJECT) return undefined;
    const end = scan.value(line, p, e, 1);
    if (end < 0 || scan.blanks(line, end, e) !== e || !isUtf8(line)) return undefined;
    // checked as a whole: from here on every position is what it must be
    let found: string | null = null;
    p = scan.blanks(line, p + 1, e);
    while (line[p] !== CLOSE_OBJECT) {
      const nameEnd = scan.string(line, p + 1, e);
      const wanted = this.#isName(line, p + 1, nameEnd - 1);
      p = scan.blanks(line, scan.blanks(line, nameEnd, e) + 1, e);
      const valueEnd = scan.value(line, p, e, 2);
      if (wanted) found = this.#value(line, p, valueEnd);
      p = scan.blanks(line, valueEnd, e);
      if (line[p] === COMMA) p = scan.blanks(line, p + 1, e);
    }
    return found;
  }

  #isName(line: Buffer, from: number, end: number): boolean {
    const bytes = this.#bytes;
    let same = end - from === bytes.length;
    for (let i = from; i < end; i++) {
      const c = line[i] as number;
      if (c === BACKSLASH) return unescape(line, from, end) === this.#name;
      if (same && c !== bytes[i - from]) same = false;
    }
    return same;
  }

  #value(line: Buffer, p: number, end: number): string | null {
    const found = scalar(this.#scan, line, p, end);
    if (found === null) {
      const text = line.toString('utf8', p, end);
      return text === 'null' ? null : text;
    }
    return line[p] === 34 ? found.text : (plainNumber(found.text) ?? found.text);
  }
}
