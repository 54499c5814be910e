import { Registry } from '../../registry.ts';
import { avg } from './aggregate/avg.ts';
import { count } from './aggregate/count.ts';
import { max, min } from './aggregate/extreme.ts';
import { listagg } from './aggregate/listagg.ts';
import { spreads } from './aggregate/spread.ts';
import { sum } from './aggregate/sum.ts';
import type { AggregateDef, ScalarDef } from './define.ts';
import { clockFunctions } from './scalar/clock.ts';
import { encodeFunctions } from './scalar/encode.ts';
import { mathFunctions } from './scalar/math.ts';
import { roundingFunctions } from './scalar/rounding.ts';
import { searchFunctions } from './scalar/search.ts';
import { textFunctions } from './scalar/text.ts';
import { timeArithmeticFunctions } from './scalar/time-arithmetic.ts';
import { timeFieldFunctions } from './scalar/time-fields.ts';
import { timeFormatFunctions } from './scalar/time-format.ts';

export const scalars = new Registry<ScalarDef>('function', [
  ...textFunctions,
  ...searchFunctions,
  ...encodeFunctions,
  ...mathFunctions,
  ...roundingFunctions,
  ...clockFunctions,
  ...timeFieldFunctions,
  ...timeArithmeticFunctions,
  ...timeFormatFunctions,
]);

export const aggregates = new Registry<AggregateDef>('aggregate', [count, sum, avg, min, max, ...spreads, listagg]);

/** Calls whose arguments are not all evaluated, or that stand for another expression: the binder takes them apart. */
export const specialForms: readonly { readonly name: string; readonly syntax: string; readonly summary: string }[] = [
  { name: 'COALESCE', syntax: 'COALESCE(any, ..)', summary: 'The first argument that is not NULL.' },
  { name: 'IFNULL', syntax: 'IFNULL(any, instead)', summary: 'The argument, or another in place of NULL.' },
  { name: 'NULLIF', syntax: 'NULLIF(any, other)', summary: 'NULL when both are equal, else the first.' },
  { name: 'IF', syntax: 'IF(condition, then, else)', summary: 'One of two values.' },
];

/** Functions of the language that are not built yet, in upper case. */
export const notYet: ReadonlySet<string> = new Set([
  'REGEXP', 'REGEXP_REPLACE', 'REGEXP_EXTRACT', 'REGEXP_EXTRACT_ALL', 'REGEXP_COUNT', 'REGEXP_INSTR', 'REGEXP_SUBSTR', 'CONVERT_TZ', 'UUID', 'RAND', 'RAND_INTEGER',
  'FIRST_VALUE', 'LAST_VALUE', 'COLLECT', 'ARRAY_AGG', 'JSON_OBJECTAGG', 'JSON_ARRAYAGG', 'PERCENTILE', 'APPROX_COUNT_DISTINCT', 'GROUPING', 'GROUPING_ID',
  'ROW_NUMBER', 'RANK', 'DENSE_RANK', 'LAG', 'LEAD', 'NTILE', 'PERCENT_RANK', 'CUME_DIST',
  'JSON_VALUE', 'JSON_QUERY', 'JSON_EXISTS', 'JSON_OBJECT', 'JSON_ARRAY', 'JSON_STRING', 'CARDINALITY', 'ELEMENT', 'ARRAY', 'MAP', 'ROW',
  'SESSION', 'SESSION_START', 'SESSION_END', 'CUMULATE', 'CUMULATE_START', 'CUMULATE_END',
]);
