import { createRequire } from 'node:module';
import type { JsonSchema } from '../../src/config/schema.ts';

const require = createRequire(import.meta.url);
const { Ajv } = require('ajv') as typeof import('ajv');
const standalone = require('ajv/dist/standalone') as typeof import('ajv/dist/standalone/index.js');

const HEAD = `// @ts-nocheck
// Made from schema.ts by ajv, because code is never made from text at run time. After a change of the schema:
// npx vitest run --config test/vitest.config.ts test/config/generated.test.ts -u
`;

/** Text of src/config/pipeline-validator.ts, or of test-file-validator.ts. */
export function makeValidator(schema: JsonSchema): string {
  const ajv = new Ajv({ allErrors: true, messages: false, strict: true, strictRequired: false, strictTypes: false, allowUnionTypes: true, code: { source: true, esm: true } });
  ajv.addSchema(bare(schema), 'pipeline');
  const code = standalone.default(ajv, { validate: 'pipeline' }).replace(/^"use strict";/, '');
  // patterns are known here, so they are written as literals
  const literals = code.replace(/new RegExp\(("(?:[^"\\]|\\.)*"), "u"\)/g, (_, text: string) => `/${(JSON.parse(text) as string).replaceAll('/', '\\/')}/u`);
  const left = /\bnew RegExp|\brequire\(|^import /m.exec(literals);
  if (left !== null) throw new Error(`the validator must stand alone, but holds ${left[0]}`);
  return `${HEAD}${literals.replace(/;(?=const schema|function|export)/g, ';\n')}\n`;
}

/** What tells editors about a key is not needed to validate. */
function bare(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema, (key, value: unknown) => (['description', 'examples', 'default', 'title'].includes(key) && typeof value !== 'object' || key === 'examples' ? undefined : value))) as JsonSchema;
}
