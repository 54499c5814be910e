const FIRST_VALUES = 64;

interface Values {
  /** Group and value of each row, in the order of the rows: the first `n` are in use. */
  groups: Int32Array;
  values: Float64Array;
  n: number;
}

/**
 * The values that aggregates of a pane were given, where folding them in parts would change the last digits: by the first slot of the
 * aggregate. They are folded when the whole group is at hand.
 */
export class RowLog {
  readonly #byCall = new Map<number, Values>();
  readonly #grown: (bytes: number) => void;
  bytes = 0;

  /** `grown` is told the bytes of memory that are added. */
  constructor(grown: (bytes: number) => void) { this.#grown = grown; }

  add(call: number, g: number, x: number): void {
    const v = this.#byCall.get(call) ?? this.#begin(call);
    if (v.n === v.values.length) this.#grow(v);
    v.groups[v.n] = g;
    v.values[v.n++] = x;
  }

  /** The calls that have values, with them. */
  calls(): Iterable<readonly [call: number, values: Readonly<Values>]> { return this.#byCall; }

  clear(): void { for (const v of this.#byCall.values()) v.n = 0; }

  #begin(call: number): Values {
    const v = { groups: new Int32Array(FIRST_VALUES), values: new Float64Array(FIRST_VALUES), n: 0 };
    this.#byCall.set(call, v);
    this.#more(12 * FIRST_VALUES);
    return v;
  }

  #grow(v: Values): void {
    const [groups, values] = [new Int32Array(2 * v.n), new Float64Array(2 * v.n)];
    groups.set(v.groups);
    values.set(v.values);
    this.#more(12 * v.n);
    v.groups = groups;
    v.values = values;
  }

  #more(bytes: number): void {
    this.bytes += bytes;
    this.#grown(bytes);
  }
}
