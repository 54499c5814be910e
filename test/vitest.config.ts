import { defineConfig } from 'vitest/config';

/**
 * PIPE_TEST_NO_CODEGEN=1: no test, and nothing that a test starts, makes code from text. Vitest itself must be allowed to: where it
 * is not, dynamic imports of modules go to the wrong folder.
 */
const forbidden = process.env['PIPE_TEST_NO_CODEGEN'] === '1' ? '--disallow-code-generation-from-strings' : null;

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // most of a file's time goes to processes that it starts and waits for: left to itself vitest has one file at a time on two cores
    maxWorkers: 2,
    // memory that is to be used again is overwritten: whoever still reads it fails
    env: { PIPE_POISON: '1', ...(forbidden === null ? {} : { NODE_OPTIONS: forbidden }) },
    ...(forbidden === null ? {} : { execArgv: [forbidden] }),
  },
});
