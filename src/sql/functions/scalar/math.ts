import { DOUBLE, decimal, isApproximate, isNumeric, typeName, type SqlType, type Value, type Wide } from '../../types.ts';
import { abs } from '../../values/wide.ts';
import { commonType } from '../common-type.ts';
import type { ArgInfo, ScalarDef, ScalarFn } from '../define.ts';
import { finite, negation, numericOperator } from '../operators/arithmetic.ts';
import { orderOf } from '../operators/compare.ts';
import { double, simple, strict } from '../overload.ts';

const one = 'expects (number)';

/** The type of a numeric argument; NULL counts as DOUBLE. */
export const numberType = (a: ArgInfo): SqlType | null => (a.type.k === 'null' ? DOUBLE : isNumeric(a.type) ? a.type : null);

function resolveAbs(args: readonly ArgInfo[]): ScalarFn | string {
  const t = args.length === 1 ? numberType(args[0] as ArgInfo) : null;
  if (t === null) return one;
  if (isApproximate(t)) return strict('abs', [t], t, Math.abs, { js: ([x]) => `Math.abs(${x})` });
  if (t.k === 'decimal') return strict('abs', [t], t, abs);
  const negate = (negation(t) as ScalarFn).fn;
  return strict('abs', [t], t, (x: Wide) => (x < 0 ? negate(x) : x));
}

/** Of the argument's type; a DECIMAL without a digit before the point gets one. */
function resolveSign(args: readonly ArgInfo[]): ScalarFn | string {
  const t = args.length === 1 ? numberType(args[0] as ArgInfo) : null;
  if (t === null) return one;
  const returns = t.k === 'decimal' ? decimal(Math.min(38, Math.max(t.p, t.s + 1)), Math.min(t.s, 37)) : t;
  const unit: Wide = returns.k !== 'decimal' ? 1 : returns.s <= 15 ? 10 ** returns.s : 10n ** BigInt(returns.s);
  return strict('sign', [t], returns, (x: Wide) => (x > 0 ? unit : x < 0 ? -unit : 0));
}

function resolveMod(args: readonly ArgInfo[]): ScalarFn | string {
  const types = args.map(numberType);
  if (types.length !== 2 || types.includes(null)) return 'expects (number, number)';
  return numericOperator('%', types[0] as SqlType, types[1] as SqlType);
}

/** GREATEST and LEAST: the arguments in their common type; NULL when one is NULL. */
const extreme = (name: string, sign: 1 | -1, summary: string, result: string): ScalarDef => ({
  name, summary, syntax: `${name.toUpperCase()}(any, ..)`,
  examples: [{ sql: `${name.toUpperCase()}(2, 10.5, -1)`, result }, { sql: `${name.toUpperCase()}(2, NULL)`, result: 'NULL' }, { sql: `${name.toUpperCase()}(0, 0)`, result: '0' }],
  resolve: args => {
    if (args.length === 0) return 'expects (any, ..)';
    let t = (args[0] as ArgInfo).type;
    for (const a of args) {
      const common = commonType(t, a.type);
      if (common === null) return `cannot compare ${typeName(t)} with ${typeName(a.type)}`;
      t = common;
    }
    const order = orderOf(t);
    return strict(name, args.map(() => t), t, (first: Value, ...rest: Value[]) => rest.reduce((best, x) => (order(x, best) * sign > 0 ? x : best), first));
  },
});

const real = (name: string, summary: string, fn: (x: number) => number, sql: string, result: string): ScalarDef =>
  simple({ name, summary, syntax: `${name.toUpperCase()}(number)`, params: [double], returns: DOUBLE, fn: (x: number) => finite(fn(x)), examples: [{ sql, result }] });

const resolveLog = (args: readonly ArgInfo[]): ScalarFn | string => {
  if (args.length < 1 || args.length > 2 || args.some(a => numberType(a) === null)) return 'expects ([base,] number)';
  if (args.length === 1) return strict('log', [DOUBLE], DOUBLE, (x: number) => finite(Math.log(x)));
  return strict('log', [DOUBLE, DOUBLE], DOUBLE, (base: number, x: number) => finite(Math.log(x) / Math.log(base)));
};

export const mathFunctions: readonly ScalarDef[] = [
  { name: 'abs', summary: 'Absolute value.', syntax: 'ABS(number)', resolve: resolveAbs, examples: [{ sql: 'ABS(-3)', result: '3' }, { sql: 'ABS(-2.50)', result: '2.50' }, { sql: 'ABS(NULL)', result: 'NULL' }, { sql: 'ABS(0)', result: '0' }] },
  { name: 'sign', summary: '-1, 0 or 1, in the type of the argument.', syntax: 'SIGN(number)', resolve: resolveSign, examples: [{ sql: 'SIGN(-7)', result: '-1' }, { sql: 'SIGN(0)', result: '0' }, { sql: 'SIGN(0.5)', result: '1.0' }] },
  {
    name: 'mod', summary: 'Remainder of a division, with the sign of the dividend.', syntax: 'MOD(number, number)', resolve: resolveMod,
    examples: [{ sql: 'MOD(-7, 3)', result: '-1' }, { sql: 'MOD(5.5, 2)', result: '1.5' }],
  },
  real('sqrt', 'Square root.', Math.sqrt, 'SQRT(2.25)', '1.5'),
  real('exp', 'e to a power.', Math.exp, 'EXP(0)', '1.0'),
  real('ln', 'Natural logarithm.', Math.log, 'LN(1)', '0.0'),
  real('log10', 'Logarithm of base 10.', Math.log10, 'LOG10(1000)', '3.0'),
  real('log2', 'Logarithm of base 2.', Math.log2, 'LOG2(8)', '3.0'),
  { name: 'log', summary: 'Natural logarithm, or that of a given base.', syntax: 'LOG([base,] number)', resolve: resolveLog, examples: [{ sql: 'LOG(1)', result: '0.0' }, { sql: 'LOG(2, 8)', result: '3.0' }] },
  simple({ name: 'power', aliases: ['pow'], summary: 'A number to a power.', syntax: 'POWER(base, exponent)', params: [double, double], returns: DOUBLE, fn: (x: number, y: number) => finite(x ** y), examples: [{ sql: 'POWER(7, 2)', result: '49.0' }] }),
  simple({ name: 'pi', summary: 'The number pi.', syntax: 'PI()', params: [], returns: DOUBLE, fn: () => Math.PI, examples: [{ sql: 'PI()', result: '3.141592653589793' }] }),
  extreme('greatest', 1, 'The largest argument; NULL when one is NULL.', '10.5'),
  extreme('least', -1, 'The smallest argument; NULL when one is NULL.', '-1.0'),
];
