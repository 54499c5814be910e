import { mayCompile } from '../src/codegen/writer.ts';

/** False under PIPE_TEST_NO_CODEGEN=1: tests then run the interpreter and the plain decoder, and what only generated code can show is skipped. */
export const GENERATED = mayCompile();

/** Values of `jit` to try. */
export const JIT: readonly boolean[] = GENERATED ? [true, false] : [false];
