import { pipelineSchema } from '../config/schema.ts';
import { noArguments } from './args.ts';
import type { Command } from './command.ts';

export const schema: Command = {
  name: 'schema',
  summary: 'prints the JSON Schema of the pipeline file, for editors and checks',
  usage: '',
  examples: [
    ['pipe schema > pipelines/pipe.schema.json', 'then the first line of a pipeline:'],
    ['# yaml-language-server: $schema=./pipe.schema.json', 'completion and checks in the editor'],
  ],
  flags: [],
  run: async (p, io) => {
    noArguments(p, 'schema');
    io.out.write(`${JSON.stringify(pipelineSchema, null, 2)}\n`);
    return 0;
  },
};
