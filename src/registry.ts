export interface Definition {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
}

/** A closed list of definitions: a duplicate fails at load time; names are looked up without regard to case. */
export class Registry<T extends Definition> {
  readonly kind: string;
  readonly #byName = new Map<string, T>();
  readonly #list: readonly T[];

  constructor(kind: string, definitions: readonly T[]) {
    this.kind = kind;
    this.#list = definitions;
    for (const d of definitions)
      for (const name of [d.name, ...(d.aliases ?? [])]) {
        const key = name.toLowerCase();
        if (this.#byName.has(key)) throw new Error(`${kind} "${name}" is defined twice`);
        this.#byName.set(key, d);
      }
  }

  find(name: string): T | undefined { return this.#byName.get(name.toLowerCase()); }
  names(): IterableIterator<string> { return this.#byName.keys(); }
  list(): readonly T[] { return this.#list; }
}
