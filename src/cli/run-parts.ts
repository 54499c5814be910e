import { systemClock } from '../engine/clock.ts';
import { Scaling } from '../engine/parallel/scaling.ts';
import { engineParts } from '../engine/parts.ts';
import { formats } from '../formats/index.ts';
import { openStateStore } from '../state/sqlite.ts';
import { loadCompiled } from './load-compiled.ts';
import { makeLog } from './make-log.ts';
import type { RunModules } from './run-modules.ts';

/** The real parts of `run`. */
export const runParts: RunModules = { load: loadCompiled, log: makeLog, store: openStateStore, formats, engine: engineParts, clock: systemClock, scaling: began => new Scaling(began), worker: new URL('../cli/run-worker.js', import.meta.url) };
