import { STRING, type SqlType, type Value } from '../../types.ts';
import { parseDecimal, parseTruncated } from '../../values/decimal.ts';
import { parseDouble } from '../../values/double.ts';
import { parseDate, parseTime, parseTimestamp } from '../../values/time.ts';
import { fitsBigint } from '../../values/wide.ts';
import type { ScalarFn } from '../define.ts';
import { intRange } from '../numeric-types.ts';
import { floorTo } from './time.ts';
import { cast, doesNotFit, isNo } from './make.ts';

const TRUE = new Set(['true', 't', 'yes', 'y', '1']);
const FALSE = new Set(['false', 'f', 'no', 'n', '0']);

/** Reads a text whose outer blanks are already cut; null when there is no such conversion. */
function reader(to: SqlType): ((text: string) => Value) | null {
  const orFail = (read: (text: string) => Value | null) => (text: string): Value => {
    const v = read(text);
    if (v === null) throw isNo(text, to);
    return v;
  };
  switch (to.k) {
    case 'tinyint': case 'smallint': case 'int': case 'bigint': return integer(to);
    case 'decimal': return text => {
      const v = parseDecimal(text, to.p, to.s);
      if (v === 'syntax') throw isNo(text, to);
      if (v === 'range') throw doesNotFit(text, to);
      return v as Value;
    };
    case 'double': return orFail(parseDouble);
    case 'float': return orFail(text => {
      const x = parseDouble(text);
      return x === null || !Number.isFinite(Math.fround(x)) ? null : Math.fround(x);
    });
    case 'boolean': return orFail(text => (TRUE.has(text.toLowerCase()) ? true : FALSE.has(text.toLowerCase()) ? false : null));
    case 'date': return orFail(parseDate);
    case 'time': return orFail(parseTime);
    case 'timestamp': case 'timestamp_ltz': {
      const floor = floorTo(to.p);
      return orFail(text => { const ms = parseTimestamp(text); return ms === null ? null : floor(ms); });
    }
    default: return null;
  }
}

/** '12.7' is 12, as in Flink; an exponent is no integer. */
function integer(to: SqlType): (text: string) => Value {
  const [min, max] = to.k === 'bigint' ? [0, 0] : intRange(to);
  const fits = to.k === 'bigint' ? fitsBigint : (v: number | bigint): boolean => v >= min && v <= max;
  return text => {
    const v = /[eE]/.test(text) ? 'syntax' : parseTruncated(text, 19, 0);
    if (v === 'syntax') throw isNo(text, to);
    if (v === 'range' || !fits(v as number | bigint)) throw doesNotFit(text, to);
    return v as number | bigint;
  };
}

export function fromText(to: SqlType): ScalarFn | null {
  if (to.k === 'bytes') return cast(STRING, to, (text: string) => Buffer.from(text, 'utf8'));
  const read = reader(to);
  return read === null ? null : cast(STRING, to, (text: string) => read(text.trim()));
}
