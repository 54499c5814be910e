import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project } from '../e2e/project.ts';
import { canary, canaryEnv, secretPipeline } from './canaries.ts';

let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

it('20 secrets of the environment are in nothing that pipe prints or writes', async () => {
  const env = canaryEnv(20);
  p.write('secret.yaml', secretPipeline());
  // each a mistake beside a secret, or of the secret itself
  p.write('wrong1.yaml', secretPipeline().replace('mechanism: plain', 'mechanism: "${S10}"').replace('name: secret', 'name: wrong1'));
  p.write('wrong2.yaml', `${secretPipeline('    brokers: "${S11} x"\n    id_prefix: "${S12}!"\n  checkpoint: "${S13}"\n  memory: "${S14}"\n  workers: "${S15}"\n  state: "../../${S16}"\n  delivery: "${S17}"\n')}`.replace('name: secret', 'name: "${S18}"'));
  p.write('.env', `S19=${canary(19)}\n`);
  await p.run(['topics', 'send', 't', '--partition', '0'], { input: '{"a":"x","n":1}\n{"a":"y","n":0}\nbad\n' });
  const outputs: string[] = [];
  for (const args of [
    ['run', 'secret.yaml'], ['run', 'secret.yaml', '--json', '--reset-state'], ['run', 'secret.yaml', '--on-error', 'stop', '--reset-state'], ['run', 'secret.yaml', '--brokers', '127.0.0.1:1', '--connect-timeout', '100ms', '--debug'],
    ...['text', 'json', 'mermaid'].map(f => ['explain', 'secret.yaml', '--format', f]), ['explain', 'secret.yaml', '--phase', 'code'], ['validate', 'secret.yaml', 'wrong1.yaml', 'wrong2.yaml'], ['validate', 'wrong1.yaml', 'wrong2.yaml', '--json'], ['run', 'wrong2.yaml', '--debug'], ['state', 'ls', 'secret.yaml'],
  ]) {
    const { out, err } = await p.run(args, { env });
    outputs.push(out, err);
  }
  const data = join(p.dir, '.pipe');
  for (const f of readdirSync(data, { recursive: true, encoding: 'utf8' })) if (statSync(join(data, f)).isFile()) outputs.push(readFileSync(join(data, f), 'latin1'));
  expect(outputs.join('').length).toBeGreaterThan(10_000);
  // a name of the pipeline is no secret, and is printed
  const leaks = outputs.flatMap(o => Array.from({ length: 20 }, (_, i) => canary(i)).filter(c => o.includes(c)));
  process.stderr.write(`secrets: canaries=20 leaks=${leaks.length}\n`);
  expect(leaks).toEqual([]);
});
