import type { Definition } from '../../registry.ts';
import type { Repr, SqlType, Value } from '../types.ts';

/** Checked by a test: `sql` evaluated with the interpreter and with generated code prints as `result` (CAST AS STRING; NULL for NULL). */
export interface Example {
  readonly sql: string;
  readonly result: string;
}

/** What an overload may look at: the type of an argument, and its value when it is a literal (ROUND(d, 1) has the scale from it). */
export interface ArgInfo {
  readonly type: SqlType;
  readonly literal: Value | null | undefined;
}

/** One overload, chosen: the binder casts argument i to `args[i]` before the call. */
export interface ScalarFn {
  readonly name: string;
  readonly args: readonly SqlType[];
  readonly returns: SqlType;
  /** 'propagate': NULL in any argument gives NULL and `fn` never sees one. 'pass': NULLs arrive as null. */
  readonly nulls: 'propagate' | 'pass';
  /** May give null for arguments that are not NULL. */
  readonly returnsNull?: boolean;
  /** Has another value at another time (CURRENT_TIMESTAMP): never folded to a constant. `fn` takes the time (epoch ms) where one is given. */
  readonly volatile?: boolean;
  /** Values are in the form of `reprOf` (DECIMAL as scaled integer, times as epoch ms). Throws RowError and nothing else. */
  fn(...args: (Value | null)[]): Value | null;
  /**
   * Optional JavaScript expression with the same result as `fn`, for hot and simple cases. `args` are names or literals
   * without side effects, never NULL. Only numbers of the definition itself may be spliced in; `bind` gives a name for any other constant.
   */
  js?(args: readonly string[], bind: (constant: unknown) => string): string;
}

export interface ScalarDef extends Definition {
  /** Chooses the overload, or says why there is none: 'expects (STRING, INT)'. */
  resolve(args: readonly ArgInfo[], unit: string | null): ScalarFn | string;
  /** For the reference: `ROUND(number [, scale])`. */
  readonly syntax: string;
  readonly examples: readonly Example[];
}

/** A growable column of aggregate state; `f64` slots live in a Float64Array, `any` slots in a plain array. */
export type StateColumn = Float64Array | unknown[];

export interface StateSlot {
  /** Suffix of the column's name in the state table: `sum_amount_lo`. '' for the aggregate's own name. */
  readonly name: string;
  readonly repr: 'f64' | 'any';
  readonly column: 'INTEGER' | 'REAL' | 'TEXT' | 'BLOB';
  /** Initial value; called for each new group when repr is 'any', once when 'f64'. */
  init(): unknown;
  /** To and from what SQLite holds (number, bigint, string, Uint8Array, null); default: as it is. */
  save?(value: unknown): number | bigint | string | Uint8Array | null;
  load?(stored: unknown): unknown;
}

/** Places of the slots of one aggregate: `s.lo` is assignable JavaScript such as `s4[g]`. */
export type Places = Readonly<Record<string, string>>;

/** One overload of an aggregate. Its slots are columns [at, at + state.length) of a pane's state, row `g` is the group. */
export interface AggregateFn {
  readonly name: string;
  readonly args: readonly SqlType[];
  readonly returns: SqlType;
  /** True when the result is NULL for a group without non-NULL input (all but COUNT). */
  readonly returnsNull: boolean;
  readonly state: readonly StateSlot[];
  /** Folds one row; never called with a NULL argument. */
  add(state: readonly StateColumn[], at: number, g: number, ...args: Value[]): void;
  /** Optional statements with the same effect as `add`. */
  addJs?(s: Places, args: readonly string[], bind: (constant: unknown) => string): string;
  /**
   * Folds group `i` of other columns of the same slots into group `g`, as if the rows of `i` had come after those of `g`. Absent where that
   * would not give the same to the last digit (sums of DOUBLE): such an aggregate takes one number, and its values are kept instead.
   */
  merge?(state: readonly StateColumn[], at: number, g: number, other: readonly StateColumn[], i: number): void;
  /** Throws RowError when the result does not fit its type. */
  result(state: readonly StateColumn[], at: number, g: number): Value | null;
  /** Approximate extra bytes per group beyond the slots (text, sets), for `settings.memory`; default 0. */
  bytes?(state: readonly StateColumn[], at: number, g: number): number;
}

export interface AggregateDef extends Definition {
  resolve(args: readonly ArgInfo[], distinct: boolean): AggregateFn | string;
  readonly syntax: string;
  /** `sql` is over the values of `values` (SQL literals) in a column named x. */
  readonly examples: readonly { readonly values: readonly string[]; readonly sql: string; readonly result: string }[];
}

export const defineAggregate = (d: AggregateDef): AggregateDef => d;

/** The initial column of a slot for `capacity` groups. */
export function stateColumn(slot: StateSlot, capacity: number): StateColumn {
  if (slot.repr === 'any') return new Array(capacity).fill(null);
  const column = new Float64Array(capacity);
  const init = slot.init() as number;
  if (init !== 0) column.fill(init);
  return column;
}

export type { Repr };
