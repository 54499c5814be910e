import { describe, expect, it } from 'vitest';
import { parseEnv } from '../../src/config/environment.ts';
import { Folder, pipeline } from './support.ts';

const folder = new Folder();
const topic = (value: string, env: Record<string, string> = {}): string | undefined => folder.load(pipeline({ source: `schema: a STRING\ntopic: ${value}`, sink: 'sql: SELECT a FROM t' }), env).sources[0]?.topic;

describe('variables', () => {
  it('are replaced in scalar values, with and without default', () => {
    expect(topic('${A}', { A: 'x' })).toBe('x');
    expect(topic('in.${A}-${B:-two}', { A: 'x' })).toBe('in.x-two');
    expect(topic('"${A:-q}"', { A: '' })).toBe('q');
    expect(topic("'${A:-q}'", {})).toBe('q');
  });

  it('that are not set are a problem at their place, each once', () => {
    expect(folder.problems(pipeline({ source: 'schema: a STRING\ntopic: x${KAFKA_TOPIK}y${A}\nstart: ${B}', sink: 'sql: SELECT a FROM t' }), { KAFKA_TOPIC: '1' })).toEqual([
      'config.unset_variable 5:13 <${KAFKA_TOPIK}> variable KAFKA_TOPIK is not set',
      'config.unset_variable 5:28 <${A}> variable A is not set',
      'config.unset_variable 6:12 <${B}> variable B is not set',
    ]);
    const [first] = folder.read(pipeline({ source: 'schema: a STRING\ntopic: ${KAFKA_TOPIK}' }), { KAFKA_TOPIC: '1' }).problems;
    expect(first?.hint).toBe('did you mean "KAFKA_TOPIC"?');
  });

  it('are left alone in SQL, steps and keys', () => {
    const spec = folder.load(pipeline({ sink: "sql: SELECT '${A}' AS a FROM s", rest: "steps:\n  s: SELECT '${B:-1}' AS b FROM t\n" }));
    expect([spec.sinks[0]?.sql?.text, spec.steps[0]?.sql.text]).toEqual(["SELECT '${A}' AS a FROM s", "SELECT '${B:-1}' AS b FROM t"]);
    expect(folder.problems(pipeline({ source: 'schema: a STRING\n"${A}": 1' }), { A: 'topic' })[0]).toBe('config.unknown_key 5:5 <"${A}"> unknown key "${A}"');
  });

  it('become numbers and true where no text is wanted, and stay text elsewhere', () => {
    const spec = folder.load(pipeline({
      source: 'schema: a STRING\ntopic: ${N}\ncreate: {partitions: "${N}", config: {x: "${N}"}}',
      sink: 'sql: SELECT a FROM t\ncreate: ${T}',
      rest: 'settings:\n  workers: ${N}\n  kafka: {ssl: "${T}", sasl: {mechanism: plain, username: "${N}", password: "${T}"}}\n',
    }), { N: '12', T: 'true' });
    expect(spec.sources[0]).toMatchObject({ topic: '12', create: { partitions: 12, config: { x: '12' } } });
    expect(spec.sinks[0]?.create).toEqual({ partitions: null, retention: null, config: {} });
    expect(spec.settings).toMatchObject({ workers: 12, kafka: { client: { ssl: true, sasl: { mechanism: 'plain', username: '12', password: 'true' } } } });
    expect(folder.problems(pipeline({ rest: 'settings: {workers: "${N}"}\n' }), { N: 'x' })).toEqual(['config.bad_value 9:21 <"${N}"> "workers" takes a whole number or auto, not "${N}"']);
    expect(folder.load(pipeline({ rest: 'settings: {workers: "${N}"}\n' }), { N: 'auto' }).settings.workers).toBe(null);
    expect(folder.problems(pipeline({ rest: 'settings: {workers: ${N}}\n' }))).toEqual(['config.yaml 9:21 <${N}> a variable in {..} or [..] stands in quotes']);
  });

  it('never show their value', () => {
    const text = pipeline({ source: 'schema: a STRING\nstart: ${S}\non_error: ${S}\ntopic: ${S}!', sink: 'sql: SELECT a FROM t', rest: 'settings: {checkpoint: "${S}", max_bad: "${S}", state: "../${S}", kafka: {brokers: "${S}:x:y", id_prefix: "${S}!", sasl: {mechanism: "${S}", username: a, password: "${S}"}}}\n' });
    const { problems } = folder.read(text, { S: 'hunter2' });
    expect(problems.length).toBe(9);
    expect(problems.flatMap(p => [p.message, p.hint, p.label]).filter(s => s?.includes('hunter2'))).toEqual([]);
  });

  it('written wrong are said', () => {
    expect(folder.problems(pipeline({ source: 'schema: a STRING\ntopic: ${1x}\nkey: ${A', sink: 'sql: SELECT a FROM t' }))).toEqual(['config.bad_value 5:12 <${1x}> this is no variable', 'config.bad_value 6:10 <${A> this is no variable']);
  });

  it('are not replaced twice', () => {
    expect(folder.read(pipeline({ source: 'schema: a STRING\non_error: {topic: "${A}"}' }), { A: '${B}' }).problems.map(p => p.message)).toEqual(['"${A}" is no name for a topic']);
  });
});

describe('.env', () => {
  it('beside the pipeline comes before that of the root, and neither overrides the environment', () => {
    folder.write('.env', 'A=root\nB=root\nC=root\n');
    folder.write('sub/.env', 'A=beside\nB=beside\n');
    const path = folder.write('sub/p.yaml', pipeline({ source: 'schema: a STRING\ntopic: ${A}.${B}.${C}' }));
    return import('../../src/config/load.ts').then(({ loadPipeline }) => {
      expect(loadPipeline(path, { env: { A: 'env' }, root: folder.dir }).sources[0]?.topic).toBe('env.beside.root');
    });
  });

  it('has comments, quotes, export and odd lines', () => {
    const values = parseEnv('\ufeff# note\nA=1\r\n export B = two words # note\nC="a\\n\\"b # c"\nD=\'x $y # z\'\nE=a#b\nF=\nnonsense\n1X=2\nG= # only a note\nH="open\n');
    expect(Object.fromEntries(values)).toEqual({ A: '1', B: 'two words', C: 'a\n"b # c', D: 'x $y # z', E: 'a#b', F: '', G: '', H: '"open' });
  });
});
