import type { CompiledPipeline } from '../config/compile.ts';
import type { Log } from '../connectors/connector.ts';
import { PipeError } from '../errors.ts';
import type { JobReport } from '../observe/job.ts';
import { planReport } from '../observe/plan-report.ts';
import { Logs } from '../ui/logs.ts';
import { fixedPipelines } from '../ui/pipelines.ts';
import { MetricsServer, type MetricsAddress } from '../ui/metrics-server.ts';
import { notFound } from '../ui/refusal.ts';
import type { Action } from '../ui/site.ts';
import type { Io, Parsed } from './command.ts';
import { configOf, overrides } from './config.ts';
import { hostFlags, startDashboard, stateProcess, type Dashboard } from './dashboard.ts';
import { isOver } from './job-lines.ts';
import { chooseLog } from './log-choice.ts';
import { dataDir, projectRoot } from './places.ts';
import { packageVersion } from './version.ts';

/** A run, as its dashboard sees it. */
export interface RunView {
  readonly compiled: readonly CompiledPipeline[];
  /** Open; each once. */
  readonly logs: readonly Log[];
  reports(): readonly JobReport[];
  /** By name of the pipeline. */
  readonly controls: Readonly<Record<string, Readonly<Record<Action, () => void>>>>;
  say(line: string): void;
  warn(message: string): void;
}

/** The dashboard that `--ui` asks for; says where it is. Throws user.usage.bad_value where the port is taken. */
export async function openDashboard(p: Parsed, io: Io, port: number | null, run: RunView): Promise<Dashboard> {
  const { compiled, logs } = run;
  const dashboard = await startDashboard({
    version: packageVersion(), root: projectRoot(io.cwd), data: dataDir(p, io), actions: p.has('allow-actions'), pipelines: fixedPipelines(compiled),
    logs: new Logs(logs.map(log => ({ kind: log.kind, label: log.label, open: () => Promise.resolve(log) }))), stateProcess,
    reports: () => run.reports(), config: spec => configOf(io, spec, overrides(p, io, spec, chooseLog(p, io, spec.settings.kafka))),
    plan: of => {
      const found = compiled.find(c => c.spec.name === of.pipeline);
      if (found === undefined) throw notFound('there is no such pipeline');
      return planReport(found);
    },
    controls: { own: true, act: (action, of) => act(action, of, run) },
    failed: error => run.warn(`dashboard: ${String(error)}`),
  }, { ...hostFlags(p, io), port });
  if (p.has('json')) io.err.write(`${JSON.stringify({ v: 1, dashboard: dashboard.url })}\n`);
  else run.say(`dashboard  ${dashboard.url}`);
  return dashboard;
}

/** The server that `--metrics` asks for; says where it is. Throws user.usage.bad_value where the port is taken. */
export async function openMetrics(address: MetricsAddress, run: Pick<RunView, 'reports' | 'say'>): Promise<MetricsServer> {
  const server = await MetricsServer.start(address, () => run.reports());
  run.say(`metrics  ${server.url}`);
  return server;
}

function act(action: Action, of: JobReport, { controls }: RunView): void {
  if (isOver(of)) throw new PipeError('user.usage.bad_value', `${of.pipeline} does not run any more`);
  controls[of.pipeline]?.[action]();
}
