import { PipeError } from '../errors.ts';

/** False in a Node that makes no code from text (--disallow-code-generation-from-strings). */
export function mayCompile(): boolean {
  try {
    new Function('');
    return true;
  } catch {
    return false;
  }
}

/**
 * Collects JavaScript and the constants it closes over. This file is the only `new Function` of the code base and the place
 * to audit: user text never becomes code, because every text, pattern and name is bound as a constant (`k3`) and what is
 * written into lines is a fixed vocabulary plus numbers.
 */
export class Writer {
  #lines: string[] = [];
  readonly #constants: unknown[] = [];
  readonly #byValue = new Map<unknown, string>();
  #fresh = 0;

  line(code: string): void { this.#lines.push(code); }

  /** Lines before all that is there. */
  first(lines: readonly string[]): void { this.#lines.unshift(...lines); }

  /** A new local name. */
  name(prefix = 't'): string { return `${prefix}${this.#fresh++}`; }

  /** `const t = code` and the name of it. */
  temp(code: string): string {
    const n = this.name();
    this.line(`const ${n} = ${code};`);
    return n;
  }

  /** A name for a constant that the code may use. */
  bind(value: unknown): string {
    let n = this.#byValue.get(value);
    if (n === undefined) {
      n = `k${this.#constants.length}`;
      this.#constants.push(value);
      this.#byValue.set(value, n);
    }
    return n;
  }

  /** The lines that `body` writes, taken out of the sequence. */
  capture(body: () => void): string {
    const outer = this.#lines;
    this.#lines = [];
    body();
    const inner = this.#lines.join('\n');
    this.#lines = outer;
    return inner;
  }

  source(): string { return this.#lines.join('\n'); }

  /** The collected lines as a function of `params`, named for profiles. Called once per stage, never per row. Throws user.usage.bad_value where Node forbids it. */
  compile<F>(name: 'stage' | 'aggregate' | 'scan' | 'encode', params: readonly string[]): F {
    const names = this.#constants.map((_, i) => `k${i}`);
    if (!mayCompile()) throw new PipeError('user.usage.bad_value', 'this Node makes no code from text (--disallow-code-generation-from-strings)', { hint: 'pipe run goes without generated code there, as with --jit=off' });
    const make = new Function(...names, `"use strict"; return function ${name}(${params.join(', ')}) {\n${this.source()}\n};`) as (...constants: unknown[]) => F;
    return make(...this.#constants);
  }
}
