import type { Log } from '../connectors/connector.ts';
import { PipeError } from '../errors.ts';
import type { JobReport } from '../observe/job.ts';
import { readJobs, readPlan } from '../observe/live-files.ts';
import { Logs, type LogEntry } from '../ui/logs.ts';
import { FolderPipelines, type Pipelines } from '../ui/pipelines.ts';
import type { Action, Site } from '../ui/site.ts';
import { noArguments } from './args.ts';
import type { Command, Io, Parsed } from './command.ts';
import { configOf, overridesOfLog } from './config.ts';
import { hostFlags, startDashboard, stateProcess } from './dashboard.ts';
import { chooseLog, type LogChoice } from './log-choice.ts';
import { makeLog } from './make-log.ts';
import { dataDir, projectRoot } from './places.ts';
import { notices, say } from './topics-log.ts';
import { fileGone } from './file-gone.ts';
import { dashboardFlags, portFlag } from './ui-flags.ts';
import { packageVersion } from './version.ts';
import { runner } from './wanted-jobs.ts';

/** ms that a broker may take to answer a page. */
const OPEN_MS = 5000;

export const ui: Command = {
  name: 'ui',
  summary: 'opens a dashboard of this data folder: jobs, topics, state, dead letters; for a browser of this machine',
  usage: '',
  examples: [
    ['pipe ui', 'prints its address; Ctrl-C ends it'],
    ['pipe ui --allow-actions', 'it may also drain jobs, send records and replay dead letters'],
    ['pipe ui --brokers localhost:9092', 'with the topics of Kafka'],
  ],
  flags: [
    { name: 'port', value: 'N', summary: 'default 7070, or the next free one' },
    ...dashboardFlags,
    { name: 'brokers', value: 'LIST', summary: 'Kafka brokers host:port,.. beside the embedded log (also PIPE_BROKERS, settings.kafka.brokers); none for that alone' },
    { name: 'host', value: 'H', summary: 'listens on this address instead of 127.0.0.1; needs a token' },
    { name: 'token', value: 'T', summary: 'the token of the page, instead of a new one (also PIPE_UI_TOKEN)' },
  ],
  notes: ['What it shows is on its port only for who has the token behind the # of the address. Nothing can be changed without --allow-actions.'],
  async run(p, io) {
    noArguments(p, 'ui');
    const listening = { ...hostFlags(p, io), port: portFlag('--port', p.text('port')) };
    const opened: Log[] = [];
    const site = folderSite(p, io, opened);
    const dashboard = await startDashboard(site, listening);
    try {
      if (p.has('json')) io.out.write(`${JSON.stringify({ v: 1, url: dashboard.url })}\n`);
      else io.err.write(`dashboard  ${dashboard.url}\n`);
      say(p, io, `${site.data}  Ctrl-C ends it; ${site.actions ? 'it may change things (--allow-actions)' : 'it only shows'}`);
      await aborted(io.signal);
    } finally {
      await dashboard.close();
      await Promise.allSettled(opened.map(l => l.close()));
    }
    return 0;
  },
};

function folderSite(p: Parsed, io: Io, opened: Log[]): Site {
  const data = dataDir(p, io);
  const root = projectRoot(io.cwd);
  const reports = (): readonly JobReport[] => readJobs(data);
  const pipelines = new FolderPipelines({ root, env: io.env, more: () => reports().map(r => r.file).filter(f => fileGone(f) === null) });
  const entry = (choice: LogChoice, spec: Parameters<typeof makeLog>[2]): LogEntry => ({
    kind: choice.brokers === null ? 'embedded' : 'kafka', label: choice.brokers === null ? 'embedded log' : `Kafka at ${choice.brokers.join(',')}`,
    open: async () => {
      const log = await makeLog(choice, data, spec, notices(p, io));
      try {
        await log.open(OPEN_MS, io.signal);
      } catch (error) {
        await log.close();
        throw error;
      }
      opened.push(log);
      return log;
    },
  });
  return {
    version: packageVersion(), root, data, actions: p.has('allow-actions'), pipelines, logs: new Logs(logChoices(p, io, pipelines).map(([choice, spec]) => entry(choice, spec))), stateProcess,
    reports, config: spec => configOf(io, spec, overridesOfLog(spec, chooseLog(p, io, spec.settings.kafka))),
    plan: of => readPlan(data, of.pipeline, of.log.id),
    controls: { own: false, act: (action, of) => act(action, of, io) },
    failed: error => { io.err.write(`dashboard: ${p.has('debug') && error instanceof Error ? error.stack : String(error)}\n`); },
  };
}

/** The embedded log, and every Kafka that flags, environment and pipelines name. */
function logChoices(p: Parsed, io: Io, pipelines: Pipelines): [LogChoice, Parameters<typeof makeLog>[2]][] {
  const embedded: LogChoice = { brokers: null, origin: '' };
  const specs = pipelines.all().map(c => c.spec);
  const all = new Map<string, [LogChoice, Parameters<typeof makeLog>[2]]>([['', [embedded, null]]]);
  for (const spec of [...specs, null]) {
    const choice = chooseLog(p, io, spec?.settings.kafka ?? null);
    const key = choice.brokers?.join(',') ?? '';
    if (!all.has(key)) all.set(key, [choice, spec]);
  }
  return [...all.values()];
}

function act(action: Action, of: JobReport, io: Io): void {
  if (action !== 'drain') throw new PipeError('user.usage.bad_value', `only the dashboard of the run itself can ${action} a job`, { hint: 'pipe run .. --ui has one; this one can drain' });
  const pid = runner(of);
  if (pid === null) throw new PipeError('user.usage.bad_value', `${of.pipeline} does not run`);
  io.kill(pid, 'SIGTERM');
}

const aborted = (signal: AbortSignal): Promise<void> => new Promise(done => {
  if (signal.aborted) done();
  else signal.addEventListener('abort', () => done(), { once: true });
});
