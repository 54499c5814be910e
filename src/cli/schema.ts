import { pipelineSchema, testFileSchema } from '../config/schema.ts';
import { noArguments } from './args.ts';
import type { Command } from './command.ts';

export const schema: Command = {
  name: 'schema',
  summary: 'prints the JSON Schema of the pipeline file, for editors and checks',
  usage: '',
  examples: [
    ['pipe schema > pipelines/pipe.schema.json', 'then the first line of a pipeline:'],
    ['# yaml-language-server: $schema=./pipe.schema.json', 'completion and checks in the editor'],
    ['pipe schema --tests > pipelines/pipe-test.schema.json', 'the same for *.test.yaml'],
  ],
  flags: [{ name: 'tests', value: 'boolean', summary: 'the schema of files of tests' }],
  run: async (p, io) => {
    noArguments(p, 'schema');
    io.out.write(`${JSON.stringify(p.has('tests') ? testFileSchema : pipelineSchema, null, 2)}\n`);
    return 0;
  },
};
