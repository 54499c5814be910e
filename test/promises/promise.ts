/** Counts of what was tried and of what went wrong. */
export type Figures = Readonly<Record<string, number>>;

export interface Rounds {
  /** How much is tried; each promise says of what. */
  readonly rounds: number;
  readonly seed: number;
}

/** Something that pipe promises, with a run that tries to break it. */
export interface Promised {
  readonly id: string;
  readonly promise: string;
  /** Figures that every run must give. */
  readonly must: Figures;
  /** What goes wrong is put into `wrong`, in words. */
  run(o: Rounds, wrong?: string[]): Promise<Figures>;
}

/** `PROMISE P16 cases=132 crashed=0` */
export const promiseLine = (id: string, figures: Figures): string => `PROMISE ${id} ${Object.entries(figures).map(([k, v]) => `${k}=${v}`).join(' ')}`;
