import type { CommandEntry } from './help.ts';

/** Every command of pipe; a command's own files are loaded when it is asked for. */
export const commands: readonly CommandEntry[] = [
  { name: 'run', summary: 'runs pipelines', load: async () => (await import('./run.ts')).run },
  { name: 'explain', summary: 'shows the plan of a pipeline', load: async () => (await import('./explain.ts')).explain },
  { name: 'validate', summary: 'checks pipelines without running them', load: async () => (await import('./validate.ts')).validate },
  { name: 'schema', summary: 'prints the JSON Schema of the pipeline file', load: async () => (await import('./schema.ts')).schema },
  { name: 'topics ls', summary: 'lists topics', load: async () => (await import('./topics.ts')).topicsLs },
  { name: 'topics describe', summary: 'shows the partitions of a topic', load: async () => (await import('./topics.ts')).topicsDescribe },
  { name: 'topics create', summary: 'makes a topic', load: async () => (await import('./topics.ts')).topicsCreate },
  { name: 'topics tail', summary: 'prints records as they come', load: async () => (await import('./topics.ts')).topicsTail },
  { name: 'topics send', summary: 'sends each line of stdin as a record', load: async () => (await import('./topics.ts')).topicsSend },
  { name: 'state ls', summary: 'lists saved state', load: async () => (await import('./state-ls.ts')).stateLs },
  { name: 'state query', summary: 'asks saved state in SQL', load: async () => (await import('./state-query.ts')).stateQuery },
  { name: 'generate', summary: 'simulates a stream of transactions', load: async () => (await import('./generate.ts')).generate },
];
