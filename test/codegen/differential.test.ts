import { expect, it } from 'vitest';
import { PipeError, PipeErrors } from '../../src/errors.ts';
import { evaluate } from '../functions/harness.ts';
import { fractions } from '../random.ts';
import { GENERATED } from '../no-codegen.ts';

const count = Number(process.env['PIPE_FUZZ_COUNT'] ?? 3000);
const seed = Number(process.env['PIPE_FUZZ_SEED'] ?? Date.now() % 1e9);

/** Values of each column by row, edges among them. */
const columns: Readonly<Record<string, readonly string[]>> = {
  i: ['0', '1', '-1', '2147483647', 'NULL', '7'],
  b: ['9007199254740993', '-9223372036854775807', '0', 'NULL', '42', '1'],
  d: ['0.00', '12.50', '-0.05', 'NULL', '99999999.99', '1.00'],
  w: ['0.00001', '1234567890123456789012.12345', '-1.50000', 'NULL', '2.00000', '0.00000'],
  f: ['1.5e0', '-2.5e0', '0e0', 'NULL', '1e300', '1e-7'],
  s: ["'Hello'", "''", "'it''s'", 'NULL', "'a_b%c'", "'12.5'"],
  g: ['TRUE', 'FALSE', 'NULL', 'TRUE', 'FALSE', 'NULL'],
  t: ["TIMESTAMP '2024-02-29 23:59:59.999'", "TIMESTAMP '1969-12-31 00:00:00'", 'NULL', "TIMESTAMP '2000-01-01 00:00:00'", "TIMESTAMP '1970-01-01 00:00:00'", 'NULL'],
};
const types: Readonly<Record<string, string>> = { i: 'INT', b: 'BIGINT', d: 'DECIMAL(10,2)', w: 'DECIMAL(30,5)', f: 'DOUBLE', s: 'STRING', g: 'BOOLEAN', t: 'TIMESTAMP(3)' };
const ROWS = 6;
const table = `(SELECT ${Object.entries(columns).map(([name, values]) => `CAST(CASE n ${values.map((v, i) => `WHEN ${i + 1} THEN ${v}`).join(' ')} END AS ${types[name]}) AS ${name}`).join(', ')} FROM t) x`;

class Generator {
  readonly #random: () => number;
  constructor(from: () => number) { this.#random = from; }

  pick<T>(xs: readonly T[]): T { return xs[Math.floor(this.#random() * xs.length)] as T; }

  number(depth: number): string {
    if (depth === 0) return this.pick(['i', 'b', 'd', 'w', 'f', '0', '3', '-7', '2.5', '1e2', 'NULL']);
    const a = (): string => this.number(depth - 1);
    switch (this.pick(['arith', 'arith', 'arith', 'call', 'case', 'neg', 'cast', 'try', 'coalesce', 'length', 'extract'])) {
      case 'arith': return `(${a()} ${this.pick(['+', '-', '*', '/', '%'])} ${a()})`;
      case 'call': return this.pick([`ABS(${a()})`, `FLOOR(${a()})`, `CEIL(${a()})`, `ROUND(${a()}, 1)`, `SIGN(${a()})`, `GREATEST(${a()}, ${a()})`, `LEAST(${a()}, ${a()})`]);
      case 'case': return `CASE WHEN ${this.condition(depth - 1)} THEN ${a()} ${this.pick(['', `ELSE ${a()}`])} END`;
      case 'neg': return `(- ${a()})`;
      case 'cast': return `CAST(${a()} AS ${this.pick(['INT', 'BIGINT', 'DECIMAL(12,3)', 'DECIMAL(38,6)', 'DOUBLE'])})`;
      case 'try': return `TRY_CAST(${this.text(depth - 1)} AS ${this.pick(['INT', 'DECIMAL(10,2)', 'DOUBLE'])})`;
      case 'coalesce': return this.pick([`COALESCE(${a()}, ${a()})`, `NULLIF(${a()}, ${a()})`, `IF(${this.condition(depth - 1)}, ${a()}, ${a()})`]);
      case 'length': return `CHAR_LENGTH(${this.text(depth - 1)})`;
      default: return `EXTRACT(${this.pick(['YEAR', 'MONTH', 'SECOND'])} FROM t)`;
    }
  }

  text(depth: number): string {
    if (depth === 0) return this.pick(['s', "'x'", "'Hello'", 's']);
    const a = (): string => this.text(depth - 1);
    return this.pick([`UPPER(${a()})`, `(${a()} || ${this.number(depth - 1)})`, `SUBSTRING(${a()}, 2)`, `CONCAT(${a()}, ${a()})`, `CAST(${this.number(depth - 1)} AS STRING)`, `CAST(t AS STRING)`, `REPLACE(${a()}, 'l', 'L')`, `COALESCE(${a()}, 'none')`]);
  }

  condition(depth: number): string {
    if (depth === 0) return this.pick(['g', 'TRUE', 'i > 0', 's IS NULL', 'd = 12.5', "s = 'Hello'", 'NULL']);
    const a = (): string => this.condition(depth - 1);
    return this.pick([
      `(${a()} AND ${a()})`, `(${a()} OR ${a()})`, `(NOT ${a()})`, `(${this.number(depth - 1)} ${this.pick(['=', '<>', '<', '<=', '>', '>='])} ${this.number(depth - 1)})`,
      `(${this.number(depth - 1)} IS ${this.pick(['', 'NOT '])}NULL)`, `(${a()} IS ${this.pick(['TRUE', 'NOT FALSE', 'UNKNOWN'])})`, `(${this.text(depth - 1)} LIKE ${this.pick(["'%l%'", "'_'", "'a!_%' ESCAPE '!'"])})`,
      `(${this.number(depth - 1)} ${this.pick(['', 'NOT '])}IN (1, 2.5, NULL, 7, ${this.number(0)}))`, `(${this.number(depth - 1)} BETWEEN ${this.number(depth - 1)} AND ${this.number(depth - 1)})`,
      `(${this.number(depth - 1)} IS ${this.pick(['', 'NOT '])}DISTINCT FROM ${this.number(depth - 1)})`,
    ]);
  }
}

/** Runs both engines on a query; true when it is a query, false when both refuse it alike. */
function compared(sql: string): boolean {
  const run = (jit: boolean): unknown => {
    try {
      return evaluate(sql, jit, ROWS, true);
    } catch (error) {
      if (error instanceof PipeError || error instanceof PipeErrors) return error.message;
      throw new Error(`${sql}: ${String(error)}`, { cause: error });
    }
  };
  const generated = run(true);
  expect(generated, sql).toEqual(run(false));
  return typeof generated !== 'string';
}

it.runIf(GENERATED)(`generated code equals the interpreter on ${count} expressions (seed ${seed})`, () => {
  const g = new Generator(fractions(seed));
  let ran = 0;
  for (let n = 0; n < count; n++) {
    const depth = 1 + (n % 4);
    if (compared(`SELECT ${g.pick([() => g.number(depth), () => g.text(depth), () => g.condition(depth)])()} AS r FROM ${table} WHERE ${g.pick(['TRUE', g.condition(1)])}`)) ran++;
  }
  // most of what is generated must be valid, or the test says nothing
  expect(ran).toBeGreaterThan(count / 2);
});

it.runIf(GENERATED)('aggregates too', () => {
  const g = new Generator(fractions(seed + 1));
  let ran = 0;
  for (let n = 0; n < count / 10; n++) {
    const arg = (): string => g.number(1 + (n % 2));
    const call = (): string => `${g.pick([() => `SUM(${arg()})`, () => `AVG(${arg()})`, () => `MIN(${arg()})`, () => `MAX(${g.text(1)})`, () => `COUNT(${arg()})`, () => `COUNT(DISTINCT ${g.text(0)})`, () => `STDDEV(${arg()})`, () => `LISTAGG(${g.text(1)}, '; ')`])()}${g.pick(['', '', ` FILTER (WHERE ${g.condition(1)})`])}`;
    if (compared(`SELECT g AS k, ${call()} AS a, ${call()} AS b FROM ${table} GROUP BY g, ${g.pick(['s IS NULL', 'i', 'd'])}`)) ran++;
  }
  expect(ran).toBeGreaterThan(count / 40);
});
