import { PipeError } from '../errors.ts';
import type { CompiledPipeline } from '../config/compile.ts';
import type { Command, Io, Parsed } from './command.ts';
import { explainMermaid, explainText } from './explain-format.ts';
import { explainModel } from './explain-model.ts';

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
  ],
  flags: [
    { name: 'phase', value: 'PHASE', summary: 'bound (names resolved), logical (steps in place), physical (default), code' },
    { name: 'format', value: 'FORMAT', summary: 'text (default), json or mermaid' },
  ],
  async run(p: Parsed, io: Io): Promise<number> {
    const phase = oneOf(p.text('phase') ?? 'physical', PHASES, '--phase');
    const format = oneOf(p.text('format') ?? (p.has('json') ? 'json' : 'text'), FORMATS, '--format');
    const { loadCompiled } = await import('./load-compiled.ts');
    const compiled = await loadCompiled(p, io);
    for (const c of compiled) io.out.write(await render(c, phase, format));
    return 0;
  },
};

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
