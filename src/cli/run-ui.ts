import type { CompiledPipeline } from '../config/compile.ts';
import type { Log } from '../connectors/connector.ts';
import type { JobReport } from '../observe/job.ts';
import { planReport } from '../observe/plan-report.ts';
import { Logs } from '../ui/logs.ts';
import { fixedPipelines } from '../ui/pipelines.ts';
import { notFound } from '../ui/refusal.ts';
import type { Action } from '../ui/site.ts';
import type { Io, Parsed } from './command.ts';
import { startDashboard, stateProcess, type Dashboard } from './dashboard.ts';
import { dataDir, projectRoot } from './places.ts';
import { portFlag } from './ui-flags.ts';
import { packageVersion } from './version.ts';

/** A run, as its dashboard sees it. */
export interface RunView {
  readonly compiled: readonly CompiledPipeline[];
  /** Open; each once. */
  readonly logs: readonly Log[];
  reports(): readonly JobReport[];
  /** Of a pipeline by its name. */
  act(action: Action, pipeline: string): void;
  warn(message: string): void;
}

/** The dashboard that `--ui` asks for; null without it. Throws user.usage.bad_value where the port is taken. */
export async function openDashboard(p: Parsed, io: Io, run: RunView): Promise<Dashboard | null> {
  if (!p.has('ui')) return null;
  const { compiled, logs } = run;
  return startDashboard({
    version: packageVersion(), root: projectRoot(io.cwd), data: dataDir(p, io), actions: p.has('allow-actions'), pipelines: fixedPipelines(compiled),
    logs: new Logs(logs.map(log => ({ kind: log.kind, label: log.label, open: () => Promise.resolve(log) }))), stateProcess,
    reports: () => run.reports(),
    plan: of => {
      const found = compiled.find(c => c.spec.name === of.pipeline);
      if (found === undefined) throw notFound('there is no such pipeline');
      return planReport(found);
    },
    controls: { own: true, act: (action, of) => run.act(action, of.pipeline) },
    failed: error => run.warn(`dashboard: ${String(error)}`),
  }, { host: '127.0.0.1', port: portFlag('--ui', p.text('ui')), token: io.env['PIPE_UI_TOKEN'] || null });
}
