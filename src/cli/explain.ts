import { basename, relative } from 'node:path';
import { PipeError, exitCode } from '../errors.ts';
import type { CompiledPipeline } from '../config/compile.ts';
import type { Command, Io, Parsed } from './command.ts';
import { explainMermaid, explainText } from './explain-format.ts';
import { explainModel } from '../observe/explained.ts';
import { chooseLog } from './log-choice.ts';
import { dataDir, statePath } from './places.ts';

const PHASES = ['bound', 'logical', 'physical', 'code'] as const;
const FORMATS = ['text', 'json', 'mermaid'] as const;

export const explain: Command = {
  name: 'explain',
  summary: 'shows the plan of a pipeline: sources, operators, their state, when they emit',
  usage: 'FILE|FOLDER...',
  examples: [
    ['pipe explain fraud.yaml', 'sources, operators with state and emission, sinks, warnings'],
    ['pipe explain fraud.yaml --format mermaid', 'a flowchart to paste into a README'],
    ['pipe explain fraud.yaml --phase code', 'the generated loop of each operator'],
    ['pipe explain fraud.yaml --live', 'with rows a second, selectivity and busy share of the running job'],
    ['pipe explain fraud.yaml --diff', 'after an edit: what becomes of the saved state, also while it runs'],
  ],
  flags: [
    { name: 'phase', value: 'bound|logical|physical|code', summary: 'bound: names resolved, logical: steps in place (default physical)' },
    { name: 'format', value: 'text|json|mermaid', summary: 'default text' },
    { name: 'diff', value: 'boolean', summary: 'compare with the saved state instead; exit code 33 where the next run refuses it' },
    { name: 'live', value: 'boolean', summary: 'with how each source, operator and sink of the job goes: the running one, else the last one' },
    { name: 'brokers', value: 'LIST', summary: '--diff, --live: the log whose state or job is meant, as for run' },
  ],
  async run(p: Parsed, io: Io): Promise<number> {
    const phase = oneOf(p.text('phase') ?? 'physical', PHASES, '--phase');
    const format = oneOf(p.text('format') ?? (p.has('json') ? 'json' : 'text'), FORMATS, '--format');
    const { loadCompiled } = await import('./load-compiled.ts');
    const compiled = await loadCompiled(p, io);
    if (p.has('live')) return showLive(compiled, p, io, phase, format);
    if (p.has('diff')) return showDiffs(compiled, p, io, phase, format);
    for (const c of compiled) io.out.write(await render(c, phase, format));
    return 0;
  },
};

async function showLive(compiled: readonly CompiledPipeline[], p: Parsed, io: Io, phase: string, format: (typeof FORMATS)[number]): Promise<number> {
  if (format === 'mermaid' || phase !== 'physical' || p.has('diff')) throw new PipeError('user.usage.bad_value', '--live is text or json, of the physical phase');
  const { explainLive } = await import('./explain-live.ts');
  const data = dataDir(p, io);
  for (const c of compiled) io.out.write(explainLive(c, data, p.text('brokers') === undefined ? null : await logId(c, p, io, data), format, Date.now()));
  return 0;
}

/** ms that a broker may take to say which cluster it is. */
const CONNECT_MS = 10_000;

async function showDiffs(compiled: readonly CompiledPipeline[], p: Parsed, io: Io, phase: string, format: string): Promise<number> {
  if (format === 'mermaid' || phase !== 'physical') throw new PipeError('user.usage.bad_value', '--diff is text or json, of the physical phase');
  const { diff, diffText } = await import('./explain-diff.ts');
  let exit = 0;
  for (const c of compiled) {
    const data = dataDir(p, io);
    const log = await logId(c, p, io, data);
    const found = diff(c, log, statePath(data, c.spec, log));
    io.out.write(format === 'json' ? `${JSON.stringify(found)}\n` : diffText({ ...found, state: found.state === null ? null : relative(io.cwd, found.state) }, basename(c.spec.path)));
    if (found.next === 'refused') exit = exitCode('system.state.incompatible');
  }
  return exit;
}

/** State files go by the log's id, which a Kafka cluster is asked for. */
async function logId(c: CompiledPipeline, p: Parsed, io: Io, data: string): Promise<string> {
  const choice = chooseLog(p, io, c.spec.settings.kafka);
  if (choice.brokers === null) return 'embedded';
  const { makeLog } = await import('./make-log.ts');
  const log = await makeLog(choice, data, c.spec, { warn: line => io.err.write(`warning: ${line}\n`), info: () => undefined });
  try {
    await log.open(CONNECT_MS, io.signal);
    return log.id;
  } finally {
    await log.close();
  }
}

function oneOf<T extends string>(word: string, words: readonly T[], flag: string): T {
  const found = words.find(w => w === word);
  if (found === undefined) throw new PipeError('user.usage.bad_value', `${flag} is one of ${words.join(', ')}, not "${word}"`);
  return found;
}

async function render(c: CompiledPipeline, phase: (typeof PHASES)[number], format: (typeof FORMATS)[number]): Promise<string> {
  if (phase === 'physical') {
    const model = explainModel(c);
    return format === 'json' ? `${JSON.stringify(model)}\n` : format === 'mermaid' ? explainMermaid(model) : explainText(model);
  }
  const { code, relations } = await import('./explain-phases.ts');
  const blocks = phase === 'code' ? code(c) : relations(c, phase);
  if (format === 'json') return `${JSON.stringify({ v: 1, pipeline: c.spec.name, phase, parts: blocks })}\n`;
  if (format === 'mermaid') throw new PipeError('user.usage.bad_value', 'mermaid draws the physical phase only');
  return blocks.map(b => `-- ${b.name}\n${b.text}\n`).join('\n');
}
