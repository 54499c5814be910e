import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pipelineSchema, testFileSchema } from '../../src/config/schema.ts';
import { GENERATED } from '../no-codegen.ts';
import { makeValidator } from './make-validator.ts';

const root = resolve(import.meta.dirname, '../..');

describe('what is made from the schema', () => {
  // ajv writes code
  it.runIf(GENERATED)('the validator is fresh (-u writes it)', async () => {
    await expect(makeValidator(pipelineSchema)).toMatchFileSnapshot(join(root, 'src/config/pipeline-validator.ts'));
  });

  it.runIf(GENERATED)('the validator of test files is fresh (-u writes it)', async () => {
    await expect(makeValidator(testFileSchema)).toMatchFileSnapshot(join(root, 'src/config/test-file-validator.ts'));
  });

  it('pipe-test.schema.json is fresh (-u writes it)', async () => {
    await expect(`${JSON.stringify(testFileSchema, null, 2)}\n`).toMatchFileSnapshot(join(root, 'pipelines/pipe-test.schema.json'));
  });

  it('pipe.schema.json is fresh (-u writes it)', async () => {
    await expect(`${JSON.stringify(pipelineSchema, null, 2)}\n`).toMatchFileSnapshot(join(root, 'pipelines/pipe.schema.json'));
  });
});
