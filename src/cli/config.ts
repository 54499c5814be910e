import { join } from 'node:path';
import { resolvePipeline, type Overrides } from '../config/resolve.ts';
import type { PipelineSpec } from '../config/spec.ts';
import { plainTree, writeYaml, type Branch, type Leaf, type Origin, type Written } from '../config/write-yaml.ts';
import { PipeError } from '../errors.ts';
import type { Command, Io, Parsed } from './command.ts';
import { loadCompiled } from './load-compiled.ts';
import { chooseLog, type LogChoice } from './log-choice.ts';
import { dataDir, projectRoot } from './places.ts';
import { memoryLimit, runFlags, runOptions } from './run-options.ts';
import { harmless } from './text-width.ts';

export const config: Command = {
  name: 'config',
  summary: 'shows the values in force for a pipeline, each with where it comes from',
  usage: 'FILE',
  examples: [
    ['pipe config balances.yaml', 'all values: yours and the defaults'],
    ['pipe config balances.yaml --resolved', 'the whole file as YAML, written out'],
    ['pipe config balances.yaml --json', 'as one JSON object'],
  ],
  flags: [
    { name: 'resolved', value: 'boolean', summary: 'the pipeline file with variables, defaults and short forms written out' },
    ...runFlags.filter(f => ['brokers', 'workers', 'on-error'].includes(f.name)),
  ],
  notes: [
    'A flag wins over the environment (PIPE_*), that over the file, that over the default.',
    'Secrets show as ***: all of ssl and sasl but for their words, texts that come from',
    'variables, and the credentials of addresses.',
  ],
  run,
};

async function run(p: Parsed, io: Io): Promise<number> {
  const [c, more] = await loadCompiled(p, io);
  if (more !== undefined || c === undefined) throw new PipeError('user.usage.bad_value', 'pipe config takes one pipeline', { hint: 'see: pipe config --help' });
  const { spec } = c;
  const choice = chooseLog(p, io, spec.settings.kafka);
  const tree = configTree(io, spec, overrides(p, io, spec, choice));
  const head = { v: 1, pipeline: spec.name, file: spec.path };
  const all = [...places(p, io, spec, choice), ...values(tree, []), ...nothing(tree)];
  if (p.has('resolved')) io.out.write(p.has('json') ? `${JSON.stringify({ ...head, resolved: plainTree(tree) })}\n` : writeYaml(tree));
  else if (p.has('json')) io.out.write(`${JSON.stringify({ ...head, values: all.map(({ key, leaf: { value, origin } }) => ({ key, value, origin })) })}\n`);
  else io.out.write(table(all, io.out.columns));
  return 0;
}

/** The values in force in the form of the file, without secrets. */
export const configOf = (io: Io, spec: PipelineSpec, values: Overrides): Readonly<Record<string, unknown>> => plainTree(configTree(io, spec, values)) as Readonly<Record<string, unknown>>;

const configTree = (io: Io, spec: PipelineSpec, values: Overrides): Branch => resolvePipeline(spec, { env: io.env, root: projectRoot(io.cwd), overrides: values });

/** What the flags of `run` and the environment say instead of the file. */
export function overrides(p: Parsed, io: Io, spec: PipelineSpec, choice: LogChoice): Overrides {
  const { workers, onError } = runOptions(p, io);
  return {
    ...overridesOfLog(spec, choice),
    workers: workers === null ? null : { value: workers, origin: originOf('--workers') },
    onError: onError === null ? null : { value: onError, origin: originOf('--on-error') },
  };
}

/** What is in force where only the log was chosen. */
export const overridesOfLog = (spec: PipelineSpec, { brokers, origin }: LogChoice): Overrides => ({
  brokers: { value: brokers, origin: origin === 'settings.kafka.brokers' ? null : originOf(origin) }, workers: null, onError: null, memory: memoryLimit(spec),
});

/** Of '--brokers none', 'PIPE_BROKERS', 'no broker set'. */
const originOf = (text: string): Origin => ({ from: text.startsWith('--') ? 'flag' : text.startsWith('PIPE_') ? 'environment' : 'default', detail: text });

interface Value {
  readonly key: string;
  readonly leaf: Leaf;
}

/** What is no value of the file: which log, and where state lies. */
function places(p: Parsed, io: Io, spec: PipelineSpec, choice: LogChoice): Value[] {
  const data = dataDir(p, io);
  const origin = originOf(p.text('data-dir') !== undefined ? '--data-dir' : (io.env['PIPE_DATA_DIR'] ?? '') !== '' ? 'PIPE_DATA_DIR' : 'default');
  const log: Origin = choice.origin === 'settings.kafka.brokers' ? { from: 'file', detail: choice.origin } : originOf(choice.origin);
  return [
    { key: 'log', leaf: { k: 'leaf', value: choice.brokers === null ? 'embedded log' : 'Kafka', origin: log } },
    { key: 'data_dir', leaf: { k: 'leaf', value: data, origin } },
    ...(spec.settings.state === null ? [{ key: 'state_dir', leaf: { k: 'leaf', value: join(data, 'state'), origin } as Leaf }] : []),
  ];
}

/** Leaves of the tree by their path; SQL, tests and the types of columns are what --resolved shows. */
function values(tree: Branch, path: readonly string[]): Value[] {
  return tree.entries.flatMap(([key, value]): Value[] => {
    const at = [...path, key];
    if (key === 'steps' && path.length === 0 || key === 'tests' && path.length === 0 || (path.length === 2 && ['sql', 'schema'].includes(key) && path[0] !== 'settings')) return [];
    if (value.k === 'leaf') return [{ key: at.join('.'), leaf: value }];
    return value.k === 'list' ? [{ key: at.join('.'), leaf: joined(value) }] : values(value, at);
  });
}

/** Settings whose default is that there is none. */
function nothing(tree: Branch): Value[] {
  const known = new Set(values(tree, []).map(v => v.key.split('.').slice(0, 3).join('.')));
  return ['settings.kafka.brokers', 'settings.kafka.sasl', 'settings.max_bad'].filter(key => !known.has(key)).map(key => ({ key, leaf: { k: 'leaf', value: null, origin: originOf('default') } }));
}

/** A list in one line. */
function joined(items: Branch): Leaf {
  const leaves = items.entries.map(([, v]: readonly [string, Written]) => v as Leaf);
  return { k: 'leaf', value: leaves.map(l => String(l.value)).join(', '), origin: (leaves[0] as Leaf).origin };
}

/** Where a line would be too long its origin stands below. */
function table(all: readonly Value[], columns: number): string {
  const width = Math.min(40, Math.max(...all.map(v => v.key.length)));
  return all.map(({ key, leaf: { value, origin } }) => {
    const text = `${key.padEnd(width)}  ${harmless(value === '' ? '""' : value === null ? 'none' : String(value))}`;
    const place = harmless(origin.detail);
    const gap = Math.max(2, width + 18 - text.length);
    return text.length + gap + place.length <= columns ? `${text}${' '.repeat(gap)}${place}\n` : `${text}\n${' '.repeat(width + 2)}${place}\n`;
  }).join('');
}
