/** What a test of a promise counted: numbers are added up over passes, those named max_… are not. */
export type Figures = Readonly<Record<string, number | string>>;

export interface PassOptions {
  /** How long a pass is, in what the promise counts. */
  readonly rounds: number;
  readonly seed: number;
  /** host:port of a broker, or null: then only what needs none is run, and `kafka=no` is printed. */
  readonly brokers: string | null;
  /** For what a person wants to know beside the figures. */
  readonly say: (line: string) => void;
}

/** One promise of pipe under faults. `run` throws where something else than a figure is wrong: an exit code, a message. */
export interface Promised {
  readonly id: string;
  /** In words. */
  readonly promise: string;
  readonly needs: 'nothing' | 'broker';
  /** Rounds of one pass; a long run does many passes. */
  readonly rounds: number;
  /** Figures that must be 0. */
  readonly zero: readonly string[];
  /** Pairs of figures that must be equal. */
  readonly same?: readonly (readonly [string, string])[];
  run(o: PassOptions): Promise<Figures>;
}

/** What is wrong with the figures of a pass, one line each. */
export function wrongs(p: Promised, f: Figures): string[] {
  return [
    ...p.zero.filter(k => k in f && f[k] !== 0).map(k => `${k}=${f[k]} must be 0`),
    ...(p.same ?? []).filter(([a, b]) => a in f && f[a] !== f[b]).map(([a, b]) => `${a}=${f[a]} must be ${b}=${f[b]}`),
  ];
}

export function add(a: Figures, b: Figures): Figures {
  const sum: Record<string, number | string> = { ...a };
  for (const [k, v] of Object.entries(b)) {
    const before = sum[k];
    sum[k] = typeof v !== 'number' || typeof before !== 'number' ? v : k.startsWith('max_') ? Math.max(before, v) : before + v;
  }
  return sum;
}

export const lineOf = (p: Promised, f: Figures): string => `PROMISE ${p.id} ${Object.entries(f).map(([k, v]) => `${k}=${v}`).join(' ')}`;
