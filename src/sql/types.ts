export type Kind =
  | 'null' | 'boolean' | 'tinyint' | 'smallint' | 'int' | 'bigint' | 'decimal' | 'float' | 'double' | 'string' | 'bytes'
  | 'date' | 'time' | 'timestamp' | 'timestamp_ltz' | 'interval' | 'interval_month';

/**
 * A SQL type. `p` is the precision of a DECIMAL or TIMESTAMP (0 elsewhere), `s` the scale of a DECIMAL (0 elsewhere).
 * VARCHAR(n) and CHAR(n) are STRING. 'interval' is day-time in ms, 'interval_month' year-month in months; 'null' is the type of a bare NULL.
 */
export interface SqlType {
  readonly k: Kind;
  readonly p: number;
  readonly s: number;
}

/**
 * How a value of a type is held, in a column, in a state slot and between expressions:
 * - f64   Float64Array; a JS number: TINYINT SMALLINT INT FLOAT DOUBLE, DECIMAL(p <= 15) as the scaled integer,
 *         DATE as days, TIME, TIMESTAMP and TIMESTAMP_LTZ as epoch ms (UTC), intervals as ms or months
 * - wide  plain array; an integer of any size in canonical form: a JS number when Number.isSafeInteger, else a bigint:
 *         BIGINT, DECIMAL(p > 15) as the scaled integer. Canonical, so === and Map keys are right.
 * - bool  Uint8Array of 0 and 1; between expressions true and false
 * - text  plain array of strings
 * - bytes plain array of Uint8Array
 * NULL is never a value of these: columns carry a null map beside them, see engine/batch.ts; closures use JS null.
 */
export type Repr = 'f64' | 'wide' | 'bool' | 'text' | 'bytes';
export type Wide = number | bigint;
export type Value = number | bigint | boolean | string | Uint8Array;

const simple = (k: Kind, p = 0): SqlType => Object.freeze({ k, p, s: 0 });
export const NULL = simple('null');
export const BOOLEAN = simple('boolean');
export const TINYINT = simple('tinyint');
export const SMALLINT = simple('smallint');
export const INT = simple('int');
export const BIGINT = simple('bigint');
export const FLOAT = simple('float');
export const DOUBLE = simple('double');
export const STRING = simple('string');
export const BYTES = simple('bytes');
export const DATE = simple('date');
export const TIME = simple('time');
export const TIMESTAMP = simple('timestamp', 3);
export const TIMESTAMP_LTZ = simple('timestamp_ltz', 3);
export const INTERVAL = simple('interval');
export const INTERVAL_MONTH = simple('interval_month');
export const decimal = (p: number, s: number): SqlType => ({ k: 'decimal', p, s });

/** Largest precision of a DECIMAL whose scaled integer is held in a double: 10^15 < 2^53. */
export const NARROW_DECIMAL = 15;

export function reprOf(t: SqlType): Repr {
  switch (t.k) {
    case 'boolean': return 'bool';
    case 'bigint': return 'wide';
    case 'decimal': return t.p <= NARROW_DECIMAL ? 'f64' : 'wide';
    case 'string': case 'null': return 'text';
    case 'bytes': return 'bytes';
    default: return 'f64';
  }
}

export const sameType = (a: SqlType, b: SqlType): boolean => a.k === b.k && a.p === b.p && a.s === b.s;
export const isInteger = (t: SqlType): boolean => t.k === 'tinyint' || t.k === 'smallint' || t.k === 'int' || t.k === 'bigint';
export const isExact = (t: SqlType): boolean => isInteger(t) || t.k === 'decimal';
export const isApproximate = (t: SqlType): boolean => t.k === 'float' || t.k === 'double';
export const isNumeric = (t: SqlType): boolean => isExact(t) || isApproximate(t);
export const isTimestamp = (t: SqlType): boolean => t.k === 'timestamp' || t.k === 'timestamp_ltz';

export function typeName(t: SqlType): string {
  switch (t.k) {
    case 'decimal': return `DECIMAL(${t.p},${t.s})`;
    case 'timestamp': case 'timestamp_ltz': return `${t.k.toUpperCase()}(${t.p})`;
    case 'interval': return 'INTERVAL SECOND';
    case 'interval_month': return 'INTERVAL MONTH';
    default: return t.k.toUpperCase();
  }
}

export interface Field {
  readonly name: string;
  readonly type: SqlType;
  readonly nullable: boolean;
}

export type Schema = readonly Field[];
