/** Seeded SQL for tests. PIPE_FUZZ_SEED repeats a run, PIPE_FUZZ_COUNT makes it longer or shorter. */
export interface Random {
  /** Integer in [0, n). */
  below(n: number): number;
  pick<T>(from: readonly T[]): T;
  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean;
}

export const fuzzSeed = (): number => Number(process.env['PIPE_FUZZ_SEED'] ?? Date.now() % 1_000_000_000);
export const fuzzCount = (otherwise: number): number => Number(process.env['PIPE_FUZZ_COUNT'] ?? otherwise);

/** mulberry32 */
export function random(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n: number): number => Math.floor(next() * n);
  return { below, pick: from => from[below(from.length)] as (typeof from)[number], chance: percent => next() * 100 < percent };
}

const columns = ['a', 'b', 'c', 'd', 't.a', 't.b', 'u.x'];
const literals = ['1', '2', '07', '0', '1.5', '.5', '2.', '1e3', '2.5E-3', '9007199254740993', "'x'", "'it''s'", "''", 'TRUE', 'false', 'NULL', "DATE '2024-01-01'", "TIMESTAMP '2024-01-01 00:00:00'",
  "INTERVAL '1' SECOND", "INTERVAL '1-2' YEAR TO MONTH", "INTERVAL '1:30' MINUTE TO SECOND"];
const arithmetic = ['+', '-', '*', '/', '%', '||', '||', '->', '->>'];
const comparisons = ['=', '<>', '!=', '<', '<=', '>', '>='];
const types = ['INT', 'bigint', 'DECIMAL(12, 2)', 'numeric', 'VARCHAR(10)', 'text', 'BOOLEAN', 'DOUBLE PRECISION', 'date', 'timestamp(3)'];
const units = ['YEAR', 'MONTH', 'DAY', 'HOUR', 'MINUTE', 'SECOND'];

/** Expressions as tokens between blanks. Most are right; some chain what cannot be chained, which both parsers must refuse. */
export class Expressions {
  readonly #r: Random;

  constructor(r: Random) { this.#r = r; }

  /** A flat list of up to `most` operands that nests at most `depth` levels. */
  flat(depth: number, most = 6): string {
    const n = 1 + this.#r.below(most);
    const parts: string[] = [];
    for (let i = 0; i < n; i++) {
      if (i > 0) parts.push(this.#infix(depth));
      const operand = this.#operand(depth);
      parts.push(`${this.#prefix()}${operand}${this.#suffix(operand, depth)}`);
    }
    return parts.join(' ');
  }

  #infix(depth: number): string {
    const r = this.#r;
    const kind = r.below(100);
    if (kind < 45) return r.pick(arithmetic);
    if (kind < 68) return r.pick(['AND', 'OR', 'and', 'or']);
    if (kind < 80) return r.pick(comparisons);
    if (kind < 86) return r.pick(['IS DISTINCT FROM', 'IS NOT DISTINCT FROM']);
    if (kind < 91) return r.pick(['LIKE', 'NOT LIKE', 'SIMILAR TO', 'NOT SIMILAR TO']);
    if (kind < 93) return `LIKE ${this.#operand(depth)} ESCAPE`;
    return `${r.pick(['BETWEEN', 'NOT BETWEEN', 'BETWEEN ASYMMETRIC'])} ${this.#low(depth)} AND`;
  }

  /** The lower bound: operands and arithmetic, as the standard has it. */
  #low(depth: number): string {
    const r = this.#r;
    return r.chance(70) ? this.#operand(depth) : `${r.chance(30) ? '- ' : ''}${this.#operand(depth)} ${r.pick(arithmetic)} ${this.#operand(depth)}`;
  }

  #prefix(): string {
    const r = this.#r;
    return r.chance(84) ? '' : r.pick(['NOT ', 'NOT ', '- ', '- ', '+ ', '- - ', 'NOT NOT ', '- NOT ', 'NOT - ']);
  }

  #suffix(operand: string, depth: number): string {
    const r = this.#r;
    if (r.chance(78)) return '';
    switch (r.below(6)) {
      case 0: return ` ${r.pick(['IS NULL', 'IS NOT NULL', 'is null'])}`;
      case 1: return ` IS ${r.pick(['', 'NOT '])}${r.pick(['TRUE', 'FALSE', 'UNKNOWN'])}`;
      case 2: return ` :: ${r.pick(types)}${r.chance(20) ? ` :: ${r.pick(types)}` : ''}`;
      case 3: return /^([a-z]|t\.a|\( .*)$/.test(operand) ? ` [ ${this.flat(depth - 1, 2)} ]` : '';
      case 4: return ' IS JSON';
      default: return ` ${r.pick(['IN', 'NOT IN'])} ( ${this.#list(depth - 1, 3)} )`;
    }
  }

  #list(depth: number, most: number): string { return Array.from({ length: 1 + this.#r.below(most) }, () => this.flat(depth, 3)).join(' , '); }

  #operand(depth: number): string {
    const r = this.#r;
    const kind = r.below(100);
    if (depth <= 0 || kind < 70) return r.chance(70) ? r.pick(columns) : r.pick(literals);
    if (kind < 82) return this.#brackets(depth - 1);
    return kind < 88 ? this.#case(depth - 1) : this.#call(depth - 1);
  }

  #brackets(depth: number): string {
    const r = this.#r;
    if (r.chance(85)) return `( ${this.flat(depth, 4)} )`;
    return r.pick([`( ${this.flat(depth, 2)} , ${this.flat(depth, 2)} )`, `ROW ( ${this.#list(depth, 2)} )`, `ARRAY [ ${this.#list(depth, 2)} ]`, `( ( ${this.flat(depth, 3)} ) )`]);
  }

  #case(depth: number): string {
    const whens = Array.from({ length: 1 + this.#r.below(2) }, () => `WHEN ${this.flat(depth, 3)} THEN ${this.flat(depth, 3)}`).join(' ');
    return `CASE ${this.#r.chance(30) ? `${this.flat(depth, 2)} ` : ''}${whens}${this.#r.chance(60) ? ` ELSE ${this.flat(depth, 3)}` : ''} END`;
  }

  #call(depth: number): string {
    const r = this.#r;
    const e = (most = 3): string => this.flat(depth, most);
    switch (r.below(16)) {
      case 0: return `CAST ( ${e()} AS ${r.pick(types)} )`;
      case 1: return `nullif ( ${e()} , ${e()} )`;
      case 2: return `${r.pick(['coalesce', 'greatest', 'least'])} ( ${this.#list(depth, 3)} )`;
      case 3: return `sum ( ${r.pick(['DISTINCT', 'ALL'])} ${e()} )`;
      case 4: return `count ( * ) FILTER ( WHERE ${e()} )`;
      case 5: return `rank ( ) OVER ( PARTITION BY ${this.#list(depth, 2)} ORDER BY ${e()} DESC )`;
      case 6: return `array_agg ( ${e()} ORDER BY ${e()} ${r.pick(['', 'ASC', 'DESC'])} ${r.pick(['', 'NULLS FIRST', 'NULLS LAST'])} )`;
      case 7: return `extract ( ${r.pick(units)} FROM ${e()} )`;
      case 8: return `substring ( ${e()} FROM ${e()}${r.chance(50) ? ` FOR ${e()}` : ''} )`;
      case 9: return `position ( ${this.#operand(0)} IN ${this.#operand(0)} || ${this.#operand(depth)} )`;
      case 10: return `trim ( ${r.pick(['', 'LEADING ', 'TRAILING ', 'BOTH '])}${e()} FROM ${e()} )`;
      case 11: return `overlay ( ${e()} PLACING ${e()} FROM ${e()} )`;
      case 12: return `substring ( ${e()} , ${e()} )`;
      default: return `${r.pick(['f', 'upper', 'g', 'left'])} ( ${this.#list(depth, 3)} )`;
    }
  }
}
