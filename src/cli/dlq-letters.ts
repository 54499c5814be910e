import type { CompiledPipeline } from '../config/compile.ts';
import { letterCodes } from '../engine/letters/codes.ts';
import { recordOf, type Letter } from '../engine/letters/letter.ts';
import type { Place } from '../engine/letters/letters.ts';
import { PipeError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import { durationFlag } from './args.ts';
import type { Flag, Io, Parsed } from './command.ts';
import { askFor } from './file-gone.ts';
import { chooseLog } from './log-choice.ts';
import { makeLog } from './make-log.ts';
import { dataDir, statePath } from './places.ts';
import { harmless } from './text-width.ts';
import { timeFlag } from './time-flag.ts';
import { INTERRUPTED, logFlags, notices } from './topics-log.ts';

export const dlqFlags: readonly Flag[] = logFlags.map(f => (f.name === 'brokers' ? { ...f, summary: `${f.summary.slice(0, -1)}, settings.kafka.brokers)` } : f));

export const selectFlags: readonly Flag[] = [
  { name: 'code', value: 'CODE', many: true, summary: 'those with this code, or whose code begins so: user.data.type' },
  { name: 'source', value: 'NAME', many: true, summary: 'those of this source' },
  { name: 'since', value: 'TIME', summary: 'kept since an ISO time, or not longer ago than 24h' },
];

/** Which letters the flags name. Throws user.usage.bad_value. */
export function selection(p: Parsed, { spec }: CompiledPipeline, now = Date.now()): (l: Letter) => boolean {
  const codes = p.texts('code');
  const sources = p.texts('source');
  const [since, before] = ['since', 'before'].map(f => { const text = p.text(f); return text === undefined ? null : timeFlag(`--${f}`, text, now); });
  const strange = sources.find(s => !spec.sources.some(x => x.name === s));
  if (strange !== undefined) throw new PipeError('user.usage.bad_value', `--source: pipeline "${spec.name}" has no source "${strange}"`, { hint: `sources: ${spec.sources.map(s => s.name).join(', ')}` });
  const ids = new Set(idsOf(p));
  return l => (codes.length === 0 || codes.some(c => l.code === c || l.code.startsWith(`${c}.`)))
    && (sources.length === 0 || sources.includes(l.source)) && (since == null || l.at >= since) && (before == null || l.at < before)
    && (ids.size === 0 || ids.has(l.ref) || ids.has(recordOf(l)));
}

/** After nothing was found: throws user.usage.bad_value when a --code is none that dead letters have. In a topic there may be any, so it is no problem before. */
export function checkCodes(p: Parsed): void {
  const strange = p.texts('code').find(c => !letterCodes.some(k => k === c || k.startsWith(`${c}.`)));
  if (strange !== undefined) throw new PipeError('user.usage.bad_value', `--code: no dead letter has the code "${strange}"`, { hint: didYouMean(strange, letterCodes) ?? `codes: ${letterCodes.join(', ')}` });
}

/** `--id 3 --id 4,5`. */
export const idsOf = (p: Parsed): string[] => p.texts('id').flatMap(t => t.split(',')).map(t => t.trim().replace(/^#/, '')).filter(t => t !== '');

/** Throws user.usage.missing_argument or bad_value unless one pipeline is named. */
export async function onePipeline(p: Parsed, io: Io, command: string, args: readonly string[]): Promise<CompiledPipeline> {
  const [file] = args;
  const help = { hint: `see: pipe ${command} --help` };
  const { knownNames, loadKnown } = await import('./known-pipelines.ts');
  if (file === undefined) {
    const names = knownNames(p, io);
    const lists = command.startsWith('dlq') ? 'pipe dlq ls lists their dead letters' : 'pipe state ls lists what is saved';
    throw new PipeError('user.usage.missing_argument', `pipe ${command} needs a pipeline`, names.length === 0 ? help : { hint: `which? ${names.join(', ')}; ${lists}` });
  }
  const [compiled, more] = await loadKnown(p, io, [file]);
  if (compiled === undefined || more !== undefined) throw new PipeError('user.usage.bad_value', `pipe ${command} takes one pipeline; ${file} holds several`, help);
  return compiled;
}

/** How hints call a pipeline. */
export const givenAs = (p: Parsed, { spec }: CompiledPipeline): string => harmless(askFor(spec.path, p.args[0] as string));

/** Runs `work` on the log that flags, environment and file choose, as `run` does. */
export async function withPlace(p: Parsed, io: Io, compiled: CompiledPipeline, work: (place: Place) => Promise<number>): Promise<number> {
  const { spec } = compiled;
  const choice = chooseLog(p, io, spec.settings.kafka);
  const timeout = durationFlag('--connect-timeout', p.text('connect-timeout') ?? '30s');
  const data = dataDir(p, io);
  const log = await makeLog(choice, data, spec, notices(p, io));
  let opened = false;
  try {
    await log.open(timeout, io.signal);
    opened = true;
    return await work({ compiled, log, state: statePath(data, spec, log.id) });
  } catch (error) {
    if (!opened && io.signal.aborted) return INTERRUPTED;
    throw error;
  } finally {
    await log.close();
  }
}
