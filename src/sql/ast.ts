/**
 * The tree of one SQL text, as written: nothing is resolved. Nodes are plain and frozen by convention; `at` is [start, end)
 * in UTF-16 units of the SQL text. Whatever the language has and pipe does not do yet is in this tree too where its clause
 * must be named in an error, and is refused by the binder with `not supported yet: ...` at its place.
 */
export type At = readonly [start: number, end: number];

export interface Name {
  readonly text: string;
  /** Written in "" or ``. */
  readonly quoted: boolean;
  readonly at: At;
}

export type Query = Select | SetOperation | Values;

export interface With {
  readonly name: Name;
  readonly columns: readonly Name[];
  readonly query: Query;
}

export interface Select {
  readonly k: 'select';
  readonly with: readonly With[];
  readonly distinct: boolean;
  readonly items: readonly SelectItem[];
  /** Empty when there is no FROM. The first entry has join null. */
  readonly from: readonly FromItem[];
  readonly where: Expr | null;
  readonly groupBy: readonly Expr[];
  readonly having: Expr | null;
  readonly orderBy: readonly OrderItem[];
  readonly limit: Expr | null;
  readonly offset: Expr | null;
  readonly at: At;
}

export interface SetOperation {
  readonly k: 'set';
  readonly op: 'union' | 'intersect' | 'except';
  readonly all: boolean;
  readonly with: readonly With[];
  readonly left: Query;
  readonly right: Query;
  readonly orderBy: readonly OrderItem[];
  readonly limit: Expr | null;
  readonly at: At;
}

export interface Values {
  readonly k: 'values';
  readonly rows: readonly (readonly Expr[])[];
  readonly at: At;
}

export interface SelectItem {
  readonly expr: Expr;
  readonly as: Name | null;
}

export interface OrderItem {
  readonly expr: Expr;
  readonly descending: boolean;
  readonly nulls: 'first' | 'last' | null;
}

export interface FromItem {
  readonly relation: Relation;
  readonly alias: Name | null;
  /** FROM t AS u(x, y). */
  readonly columns: readonly Name[];
  readonly join: { readonly kind: 'inner' | 'left' | 'right' | 'full' | 'cross'; readonly on: Expr | null; readonly using: readonly Name[]; readonly at: At } | null;
  readonly at: At;
}

export type Relation =
  | { readonly k: 'table'; readonly name: Name; readonly asOf: Expr | null; readonly at: At }
  | { readonly k: 'subquery'; readonly query: Query; readonly lateral: boolean; readonly at: At }
  | WindowTable
  | { readonly k: 'unnest'; readonly args: readonly Expr[]; readonly at: At }
  | { readonly k: 'values'; readonly rows: readonly (readonly Expr[])[]; readonly at: At };

/** TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)), with or without TABLE( ), with positional or named arguments. */
export interface WindowTable {
  readonly k: 'window';
  readonly kind: 'tumble' | 'hop' | 'cumulate' | 'session';
  /** TABLE t, or a subquery in parentheses. */
  readonly input: Relation;
  readonly time: Name;
  readonly partitionBy: readonly Name[];
  /** The interval arguments in order; `name` when written `SIZE => ...`. */
  readonly args: readonly { readonly name: Name | null; readonly expr: Expr }[];
  readonly at: At;
}

/** A type as written: `DECIMAL(12, 2)` is name DECIMAL, args [12, 2]; nested ones (ARRAY<..>, ROW<..>) keep their text only. */
export interface TypeName {
  /** Upper case, blanks folded: 'DOUBLE PRECISION' is 'DOUBLE', 'CHARACTER VARYING' is 'VARCHAR', 'TIMESTAMP WITH LOCAL TIME ZONE' is 'TIMESTAMP_LTZ'. */
  readonly name: string;
  readonly args: readonly number[];
  readonly at: At;
}

export type BinaryOp = 'or' | 'and' | '=' | '<>' | '<' | '<=' | '>' | '>=' | '||' | '+' | '-' | '*' | '/' | '%' | '->' | '->>';

export type Expr =
  /** `text` of a number is its digits as written; of a text literal its value, '' folded to '. */
  | { readonly k: 'literal'; readonly kind: 'number' | 'text' | 'boolean' | 'null' | 'date' | 'time' | 'timestamp'; readonly text: string; readonly at: At }
  /** INTERVAL '10' SECOND: value '10', unit SECOND (singular, upper case); INTERVAL '1:30' MINUTE TO SECOND has `to`. */
  | { readonly k: 'interval'; readonly value: string; readonly unit: string; readonly to: string | null; readonly at: At }
  /** a, t.a, or a longer path. */
  | { readonly k: 'ref'; readonly path: readonly Name[]; readonly at: At }
  /** * or t.* */
  | { readonly k: 'star'; readonly of: Name | null; readonly at: At }
  | { readonly k: 'unary'; readonly op: 'not' | '-' | '+'; readonly arg: Expr; readonly at: At }
  | { readonly k: 'binary'; readonly op: BinaryOp; readonly left: Expr; readonly right: Expr; readonly opAt: At; readonly at: At }
  | { readonly k: 'is'; readonly what: 'null' | 'true' | 'false' | 'unknown' | 'json'; readonly not: boolean; readonly arg: Expr; readonly at: At }
  | { readonly k: 'distinct'; readonly not: boolean; readonly left: Expr; readonly right: Expr; readonly at: At }
  | { readonly k: 'in'; readonly not: boolean; readonly arg: Expr; readonly list: readonly Expr[] | Query; readonly at: At }
  | { readonly k: 'between'; readonly not: boolean; readonly arg: Expr; readonly low: Expr; readonly high: Expr; readonly at: At }
  | { readonly k: 'like'; readonly op: 'like' | 'similar'; readonly not: boolean; readonly arg: Expr; readonly pattern: Expr; readonly escape: Expr | null; readonly at: At }
  | { readonly k: 'case'; readonly operand: Expr | null; readonly whens: readonly { readonly when: Expr; readonly then: Expr }[]; readonly else: Expr | null; readonly at: At }
  /** CAST, TRY_CAST (try) and :: */
  | { readonly k: 'cast'; readonly arg: Expr; readonly type: TypeName; readonly try: boolean; readonly at: At }
  | Call
  | { readonly k: 'subquery'; readonly query: Query; readonly at: At }
  | { readonly k: 'exists'; readonly query: Query; readonly at: At }
  | { readonly k: 'row'; readonly items: readonly Expr[]; readonly at: At }
  | { readonly k: 'array'; readonly items: readonly Expr[]; readonly at: At }
  | { readonly k: 'index'; readonly arg: Expr; readonly index: Expr; readonly at: At };

/**
 * A function call. Keyword forms arrive in comma form: SUBSTRING(s FROM 1 FOR 2) is args [s, 1, 2]; POSITION(a IN b) is [a, b];
 * EXTRACT(YEAR FROM t), FLOOR(t TO MONTH), CEIL(t TO DAY), TIMESTAMPDIFF(SECOND, a, b), TIMESTAMPADD carry the unit apart;
 * TRIM(LEADING 'x' FROM s) is args [s, 'x'], mode LEADING (TRIM(s): args [s], mode null).
 */
export interface Call {
  readonly k: 'call';
  /** As written. */
  readonly name: Name;
  readonly args: readonly Expr[];
  /** COUNT(*). */
  readonly star: boolean;
  readonly distinct: boolean;
  /** Upper case, singular: YEAR, QUARTER, MONTH, WEEK, DAY, DOY, DOW, HOUR, MINUTE, SECOND, MILLISECOND, EPOCH ... */
  readonly unit: string | null;
  readonly mode: 'BOTH' | 'LEADING' | 'TRAILING' | null;
  readonly filter: Expr | null;
  /** WITHIN GROUP (ORDER BY ..) or ORDER BY inside the parentheses. */
  readonly orderBy: readonly OrderItem[];
  readonly ignoreNulls: boolean;
  readonly over: Over | null;
  /** JSON_VALUE(.. RETURNING INT). */
  readonly returning: TypeName | null;
  /** CURRENT_TIMESTAMP and its like, written without parentheses. */
  readonly bare: boolean;
  readonly at: At;
}

export interface Over {
  readonly partitionBy: readonly Expr[];
  readonly orderBy: readonly OrderItem[];
  readonly frame: Frame | null;
  readonly at: At;
}

export interface Frame {
  readonly unit: 'rows' | 'range';
  readonly from: FrameBound;
  readonly to: FrameBound;
  readonly at: At;
}

export type FrameBound =
  | { readonly k: 'unbounded'; readonly direction: 'preceding' | 'following' }
  | { readonly k: 'current' }
  | { readonly k: 'offset'; readonly value: Expr; readonly direction: 'preceding' | 'following' };
