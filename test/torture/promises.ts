import { p1 } from './p1-kill.ts';
import { p3 } from './p3-kill-kafka.ts';
import type { Promised } from './promise.ts';

export const promises: readonly Promised[] = [p1, p3];
