import { RowError } from '../../../errors.ts';
import { typeName, type SqlType, type Value } from '../../types.ts';
import type { ScalarFn } from '../define.ts';

/** A conversion of one value; `js` only where it is one cheap expression. */
export const cast = (from: SqlType, to: SqlType, fn: (x: never) => Value | null, js?: ScalarFn['js']): ScalarFn =>
  ({ name: `CAST AS ${typeName(to)}`, args: [from], returns: to, nulls: 'propagate', fn: fn as ScalarFn['fn'], ...(js === undefined ? {} : { js }) });

const short = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}..` : text);

export const isNo = (text: string, to: SqlType): RowError => new RowError('user.data.cast', `'${short(text)}' is no ${typeName(to)}`);
/** `v` is a number or its text. */
export const doesNotFit = (v: string | number | bigint, to: SqlType): RowError => new RowError('user.data.cast', `${short(String(v))} does not fit ${typeName(to)}`);
