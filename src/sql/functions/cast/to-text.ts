import { BOOLEAN, STRING, type SqlType, type Wide } from '../../types.ts';
import { printDecimal } from '../../values/decimal.ts';
import { javaDouble, javaFloat } from '../../values/double.ts';
import { printDate, printInterval, printMonths, printTime, printTimestamp } from '../../values/time.ts';
import type { ScalarFn } from '../define.ts';
import { cast } from './make.ts';

const printer = (t: SqlType): ((x: never) => string) => {
  const { s, p } = t;
  switch (t.k) {
    case 'tinyint': case 'smallint': case 'int': case 'bigint': return (x: Wide) => String(x);
    case 'decimal': return (x: Wide) => printDecimal(x, s);
    case 'float': return javaFloat;
    case 'double': return javaDouble;
    case 'boolean': return (x: boolean) => (x ? 'TRUE' : 'FALSE');
    case 'string': case 'null': return (x: string) => x;
    case 'bytes': return (x: Uint8Array) => Buffer.from(x.buffer, x.byteOffset, x.length).toString('utf8');
    case 'date': return printDate;
    case 'time': return printTime;
    case 'timestamp': case 'timestamp_ltz': return (x: number) => printTimestamp(x, p);
    case 'interval': return printInterval;
    case 'interval_month': return printMonths;
  }
};

/** Flink's text of a value: DECIMAL with exactly its scale, DOUBLE as Java prints it, TRUE and FALSE, UTC times with a blank. */
export const toText = (from: SqlType): ScalarFn =>
  cast(from, STRING, printer(from), from.k === BOOLEAN.k ? ([x]) => `(${x} ? 'TRUE' : 'FALSE')` : undefined);
