import type { Expr } from '../ast.ts';
import type { Cursor } from './cursor.ts';
import { didYouMean } from '../../suggest.ts';
import { intervalUnits, units } from './words.ts';

/** A number, text, TRUE, FALSE, NULL, or DATE, TIME, TIMESTAMP and a text. */
export function literalAt(c: Cursor): Expr {
  const first = c.pos;
  const t = c.tok;
  c.pos++;
  if (t.k === 'number' || t.k === 'text') return { k: 'literal', kind: t.k, text: t.text, at: t.at };
  switch (t.word) {
    case 'TRUE': case 'FALSE': return { k: 'literal', kind: 'boolean', text: t.word, at: t.at };
    case 'NULL': return { k: 'literal', kind: 'null', text: 'NULL', at: t.at };
    default: {
      const text = c.tok.text;
      c.pos++;
      return { k: 'literal', kind: t.word === 'DATE' ? 'date' : t.word === 'TIME' ? 'time' : 'timestamp', text, at: c.since(first) };
    }
  }
}

/** SECONDS is SECOND. */
const singular = (word: string): string => (units.has(word) ? word : word.replace(/S$/, ''));

/** A time unit under the cursor, upper case and singular. `known` are those that may stand here. */
export function unit(c: Cursor, known: ReadonlySet<string> = units): string {
  const word = singular(c.tok.word);
  if (c.tok.word === '' || !known.has(word)) throw c.unexpected('a time unit', { hint: (c.tok.word === '' ? undefined : didYouMean(c.tok.word, known)) ?? 'such as SECOND, MINUTE, HOUR or DAY' });
  c.pos++;
  return word;
}

/** INTERVAL '10' SECOND, INTERVAL '1:30' MINUTE TO SECOND; a precision such as DAY(3) says nothing that the text does not. */
export function interval(c: Cursor): Expr {
  const first = c.pos++;
  const minus = c.takeOp('-');
  if (!minus) c.takeOp('+');
  const t = c.tok;
  if (t.k === 'number') throw c.error('user.sql.literal', 'the number of an INTERVAL is written in quotes', t.at, { hint: `write INTERVAL '${t.text}' ${intervalUnits.has(singular(c.peek(1).word)) ? singular(c.peek(1).word) : 'SECOND'}` });
  if (t.k !== 'text') throw c.unexpected("a text such as '10' after INTERVAL", { hint: "INTERVAL '10' SECOND; quote a column that is named interval" });
  c.pos++;
  if (!intervalUnits.has(singular(c.tok.word))) throw noUnit(c, first);
  const from = precise(c);
  const to = c.takeWords('TO') ? precise(c) : null;
  return { k: 'interval', value: minus ? `-${t.text}` : t.text, unit: from, to, at: c.since(first) };
}

function precise(c: Cursor): string {
  const found = unit(c, intervalUnits);
  if (c.isOp('(') && c.peek(1).k === 'number') {
    c.pos = c.tok.mate + 1;
  }
  return found;
}

function noUnit(c: Cursor, first: number): Error {
  const text = (c.tokens[c.pos - 1]?.text ?? '').trim();
  const [, number, word] = /^(\d+)\s*([a-z]+)$/i.exec(text) ?? [];
  const inside = word === undefined ? '' : singular(word.toUpperCase());
  const near = c.tok.word === '' ? undefined : didYouMean(c.tok.word, intervalUnits);
  const hint = intervalUnits.has(inside) ? `write INTERVAL '${number as string}' ${inside}` : near ?? `write INTERVAL '${/^\d+$/.test(text) ? text : '10'}' SECOND`;
  return c.error('user.sql.literal', 'INTERVAL needs a unit such as SECOND', c.since(first), { label: 'no unit', hint });
}
