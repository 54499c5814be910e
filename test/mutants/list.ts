import { data } from './data.ts';
import { engine } from './engine.ts';
import { epochs } from './epochs.ts';
import type { Mutant } from './mutant.ts';
import { testing } from './testing.ts';

/** The code broken by hand, each in one place. */
export const mutants: readonly Mutant[] = [...epochs, ...engine, ...data, ...testing];
