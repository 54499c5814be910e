import { setFlagsFromString } from 'node:v8';

/**
 * Old space (MB) that a worker thread fills before V8 marks it. V8 would lower its guess with every collection of the young, which
 * finds little but buffers here, and then mark 10 MB of heap five times in a million records.
 */
const OLD_SPACE_MB = 64;
/**
 * Bytes of bytecode that a function runs between two looks at whether it is worth optimising: four times V8's. A run has some ten
 * functions that are, and a hundred that are called now and then, whose compilation took a fifth of a short run. In Node 24 another
 * compiler comes first, and there is no such flag.
 */
const LOOK_BYTES = 4 * 67_584;
const LAST_WITH_LOOKS = 20;

/** Tells V8 what kind of program this process is; for the main thread at its start, before worker threads begin. */
export function tuneV8(): void {
  setFlagsFromString(`--initial-old-space-size=${OLD_SPACE_MB}`);
  // of the young little is left, which one thread copies sooner than it has woken others; with busy cores it waits for them, too
  setFlagsFromString('--no-parallel-scavenge');
  if (Number.parseInt(process.versions.node, 10) <= LAST_WITH_LOOKS) setFlagsFromString(`--interrupt-budget=${LOOK_BYTES}`);
}
