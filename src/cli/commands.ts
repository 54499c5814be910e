import type { CommandEntry } from './help.ts';

/** Every command of pipe; a command's own files are loaded when it is asked for. */
export const commands: readonly CommandEntry[] = [
  { name: 'init', summary: 'makes a project with pipelines that run', load: async () => (await import('./init.ts')).init },
  { name: 'run', summary: 'runs pipelines', load: async () => (await import('./run.ts')).run },
  { name: 'explain', summary: 'shows the plan of a pipeline', load: async () => (await import('./explain.ts')).explain },
  { name: 'validate', summary: 'checks pipelines without running them', load: async () => (await import('./validate.ts')).validate },
  { name: 'test', summary: 'runs the tests of pipelines', load: async () => (await import('./test.ts')).test },
  { name: 'schema', summary: 'prints the JSON Schema of the pipeline file', load: async () => (await import('./schema.ts')).schema },
  { name: 'status', summary: 'shows the jobs of this data folder', load: async () => (await import('./status.ts')).status },
  { name: 'stop', summary: 'drains running jobs', load: async () => (await import('./stop.ts')).stop },
  { name: 'ui', summary: 'opens a dashboard of this data folder', load: async () => (await import('./ui.ts')).ui },
  { name: 'topics ls', summary: 'lists topics', load: async () => (await import('./topics.ts')).topicsLs },
  { name: 'topics describe', summary: 'shows the partitions of a topic', load: async () => (await import('./topics.ts')).topicsDescribe },
  { name: 'topics create', summary: 'makes a topic', load: async () => (await import('./topics.ts')).topicsCreate },
  { name: 'topics tail', summary: 'prints records as they come', load: async () => (await import('./topics.ts')).topicsTail },
  { name: 'topics send', summary: 'sends each line of stdin as a record', load: async () => (await import('./topics.ts')).topicsSend },
  { name: 'state ls', summary: 'lists saved state', load: async () => (await import('./state-ls.ts')).stateLs },
  { name: 'state query', summary: 'asks saved state in SQL', load: async () => (await import('./state-query.ts')).stateQuery },
  { name: 'state backup', summary: 'copies saved state, also while a pipeline runs', load: async () => (await import('./state-backup.ts')).stateBackup },
  { name: 'state restore', summary: 'puts a backup in place', load: async () => (await import('./state-restore.ts')).stateRestore },
  { name: 'state reset', summary: 'deletes saved state, so that the next run starts again', load: async () => (await import('./state-reset.ts')).stateReset },
  { name: 'dlq ls', summary: 'lists dead letters by code', load: async () => (await import('./dlq-ls.ts')).dlqLs },
  { name: 'dlq show', summary: 'shows all of one dead letter', load: async () => (await import('./dlq-show.ts')).dlqShow },
  { name: 'dlq replay', summary: 'sends dead letters to their topic again', load: async () => (await import('./dlq-replay.ts')).dlqReplay },
  { name: 'dlq drop', summary: 'deletes dead letters', load: async () => (await import('./dlq-drop.ts')).dlqDrop },
  { name: 'generate', summary: 'simulates a stream of transactions', load: async () => (await import('./generate.ts')).generate },
];
