import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CompiledPipeline } from '../config/compile.ts';
import { durationFlag } from './args.ts';
import { plural } from '../numbers.ts';
import type { Command, Io, Parsed } from './command.ts';
import { checkText, failed, ok, worstExit, type Check } from './doctor-check.ts';
import { checkFolder, checkNative, checkVersions } from './doctor-machine.ts';
import { checkAll, type Checked } from './load-compiled.ts';
import { chooseLog } from './log-choice.ts';
import { dataDir, projectRoot } from './places.ts';

export const doctor: Command = {
  name: 'doctor',
  summary: 'looks for what would stop a run, and says what to do; changes nothing',
  usage: '[FILE|FOLDER...]',
  examples: [
    ['pipe doctor', 'this machine, and every pipeline of the project'],
    ['pipe doctor balances.yaml', 'this pipeline, its state, topics and rights'],
    ['pipe doctor --brokers localhost:9092', 'with these brokers'],
    ['pipe doctor --json', 'one object with all checks'],
  ],
  flags: [
    { name: 'brokers', value: 'LIST', summary: 'Kafka brokers, as for run (also PIPE_BROKERS, settings.kafka.brokers)' },
    { name: 'connect-timeout', value: 'DURATION', summary: 'how long to try a broker that is away (default 5s)' },
  ],
  notes: [
    'Exit code: 0 without a problem, else that of the worst one: of a bug (1),',
    'damaged, old or newer state (31, 32, 33), disk (30), configuration and SQL (3),',
    'Node (2), topics and rights (11), brokers away (10). Warnings and ? do not count.',
  ],
  run,
};

async function run(p: Parsed, io: Io): Promise<number> {
  const checks: Check[] = [];
  for await (const c of examine(p, io)) {
    checks.push(c);
    const silent = p.has('json') || (p.has('quiet') && c.level !== 'problem' && c.level !== 'warning');
    if (!silent) io.out.write(checkText(c, Math.min(io.out.columns, 100)));
    if (io.signal.aborted) break;
  }
  const exit = worstExit(checks);
  const count = (level: Check['level']): number => checks.filter(c => c.level === level).length;
  if (p.has('json')) io.out.write(`${JSON.stringify({ v: 1, ok: exit === 0, exit, checks })}\n`);
  else if (!p.has('quiet')) io.err.write(`${plural(checks.length, 'check')}: ${plural(count('problem'), 'problem')}, ${plural(count('warning'), 'warning')}${exit === 0 ? '' : `; exit code ${exit}`}\n`);
  return exit;
}

async function* examine(p: Parsed, io: Io): AsyncIterable<Check> {
  yield* checkVersions(process.versions.node);
  const all = pipelines(p, io);
  yield* all.map(checkPipeline);
  const native = await checkNative();
  if (native !== null) return yield native;
  const data = dataDir(p, io);
  yield* await checkFolder(data);
  const { checkLog, checkState } = await import('./doctor-state.ts');
  yield* checkLog(data);
  const compiled = all.flatMap(c => c.compiled ?? []);
  for (const c of compiled) yield* checkState(p, io, c);
  yield* logs(p, io, data, compiled);
}

/** Those that are named, else all of the project. */
function pipelines(p: Parsed, io: Io): readonly Checked[] {
  if (p.args.length > 0) return checkAll(p, io);
  const folder = join(projectRoot(io.cwd), 'pipelines');
  return existsSync(folder) ? checkAll({ ...p, args: [folder] }, io) : [];
}

function checkPipeline({ file, compiled, problems }: Checked): Check {
  const errors = problems.filter(e => e.severity === 'error');
  const [first] = errors;
  if (first === undefined) return ok(`pipeline ${file}`, `${(compiled as CompiledPipeline).spec.name} can run`);
  const check = failed(file === null ? 'pipelines' : `pipeline ${file}`, first);
  const at = first.span?.source.position(first.span.start);
  return { ...check, message: at === undefined ? check.message : `line ${at.line}: ${check.message}`, hint: file === null ? check.hint : `pipe validate ${file} shows ${errors.length === 1 ? 'the place' : `all ${errors.length} problems`}` };
}

/** The logs that these pipelines would run on. */
async function* logs(p: Parsed, io: Io, data: string, compiled: readonly CompiledPipeline[]): AsyncIterable<Check> {
  const timeout = durationFlag('--connect-timeout', p.text('connect-timeout') ?? '5s');
  const groups = new Map<string, CompiledPipeline[]>();
  const choose = (c: CompiledPipeline | null): ReturnType<typeof chooseLog> => chooseLog(p, io, c?.spec.settings.kafka ?? null);
  for (const c of compiled) {
    const key = JSON.stringify([choose(c).brokers, c.spec.settings.kafka.client]);
    groups.set(key, [...(groups.get(key) ?? []), c]);
  }
  for (const members of groups.size === 0 ? [[]] : groups.values()) {
    const { brokers, origin } = choose(members[0] ?? null);
    if (brokers === null) {
      yield ok('log', `embedded log (${origin}); no broker is asked`);
      continue;
    }
    try {
      const { checkKafka } = await import('./doctor-kafka.ts');
      yield* checkKafka({ brokers, origin, timeout, data, pipelines: members, signal: io.signal, now: Date.now });
    } catch (error) {
      yield failed('broker', error);
    }
  }
}
