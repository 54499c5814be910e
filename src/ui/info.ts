import { CONTENT_TYPE, prometheusText } from '../observe/prometheus.ts';
import type { Info, V1 } from './answers.ts';
import type { Call, Route } from './call.ts';
import { readiness } from './health.ts';
import { pipelineIn } from './jobs.ts';

/** What the dashboard is, and what other programs ask of a process. */
export const infoRoutes: readonly Route[] = [
  { method: 'GET', path: '/api/v1/info', answers: 'info', handle: async ({ site }): Promise<V1<Info>> => ({
    v: 1, version: site.version, root: site.root, data_dir: site.data, actions: site.actions, own: site.controls.own, logs: await site.logs.list(), pipelines: site.pipelines.all().map(c => c.spec.name),
  }) },
  { method: 'GET', path: '/api/v1/config/:job', answers: 'config', handle: c => {
    const { spec } = c.site.pipelines.find(pipelineIn(c.param('job')));
    return { v: 1, file: spec.path, ...c.site.config(spec) };
  } },
  { method: 'GET', path: '/healthz', open: true, handle: c => plain(c, 200, 'ok\n') },
  { method: 'GET', path: '/readyz', open: true, handle: c => {
    const { status, text } = readiness(c.site.controls.own ? c.site.reports() : []);
    return plain(c, status, text);
  } },
  { method: 'GET', path: '/metrics', open: true, handle: c => plain(c, 200, prometheusText(c.site.reports()), CONTENT_TYPE) },
];

function plain({ res }: Call, status: number, text: string, type = 'text/plain; charset=utf-8'): undefined {
  res.writeHead(status, { 'Content-Type': type });
  res.end(text);
}
