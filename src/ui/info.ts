import type { Info, V1 } from './answers.ts';
import type { Route } from './call.ts';
import { pipelineIn } from './jobs.ts';
import { probe, PROBES } from './probes.ts';

/** What the dashboard is, and what other programs ask of a process. */
export const infoRoutes: readonly Route[] = [
  { method: 'GET', path: '/api/v1/info', answers: 'info', handle: async ({ site }): Promise<V1<Info>> => ({
    v: 1, version: site.version, root: site.root, data_dir: site.data, actions: site.actions, own: site.controls.own, logs: await site.logs.list(), pipelines: site.pipelines.all().map(c => c.spec.name),
  }) },
  { method: 'GET', path: '/api/v1/config/:job', answers: 'config', handle: c => {
    const { spec } = c.site.pipelines.find(pipelineIn(c.param('job')));
    return { v: 1, file: spec.path, ...c.site.config(spec) };
  } },
  ...PROBES.map((path): Route => ({ method: 'GET', path, open: true, handle: ({ site, res }) => {
    const { status, type, text } = probe(path, () => site.reports(), site.controls.own);
    res.writeHead(status, { 'Content-Type': type }).end(text);
  } })),
];
