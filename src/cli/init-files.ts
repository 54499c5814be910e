import { basename } from 'node:path';
import { dependencyOn, ownPackage, packageFile } from './own-package.ts';

export const TEMPLATES = ['balances', 'fraud', 'blank'] as const;
export type Template = (typeof TEMPLATES)[number];

/** Name of the pipeline that the template begins with: what to run first. */
export const firstPipeline = (template: Template | null): string => (template === null ? 'balances' : template === 'blank' ? 'first' : template);

/** What a project in `dir` consists of: text by path; `template` null: both shipped pipelines. */
export function projectFiles(dir: string, template: Template | null): ReadonlyMap<string, Buffer> {
  const shipped = template === 'blank' ? [] : template === null ? ['balances', 'fraud'] : [template];
  const pipelines: readonly (readonly [string, Buffer])[] = template === 'blank'
    ? [['pipelines/first.yaml', packageFile('templates/blank.yaml')], ['pipelines/data/events.jsonl', packageFile('templates/events.jsonl')]]
    : [...shipped.map(name => `pipelines/${name}.yaml`), 'pipelines/data/transactions.jsonl'].map(path => [path, packageFile(path)] as const);
  const name = packageName(dir);
  return new Map([
    ...pipelines,
    ...['pipelines/pipe.schema.json', 'pipelines/pipe-test.schema.json'].map(path => [path, packageFile(path)] as const),
    ['package.json', packageJson(dir, name)],
    ['.gitignore', packageFile('templates/gitignore')],
    ['.env.example', packageFile('templates/env.example')],
    ['README.md', Buffer.from(packageFile('templates/README.md').toString().replaceAll('{name}', name).replaceAll('{first}', firstPipeline(template)))],
  ]);
}

function packageJson(dir: string, name: string): Buffer {
  const own = ownPackage();
  return Buffer.from(`${JSON.stringify({
    name, private: true,
    scripts: { start: 'pipe run pipelines/', test: 'pipe test' },
    dependencies: { [own.name]: dependencyOn(dir, own.version) },
    // the one package below it that is compiled, or fetched compiled, when it is installed
    allowScripts: { 'better-sqlite3': true },
  }, null, 2)}\n`);
}

/** The folder's name as npm takes it; a package cannot depend on one of its own name. */
function packageName(dir: string): string {
  const name = basename(dir).toLowerCase().replace(/[^a-z0-9._-]+/g, '-').replace(/^[._-]+|[._-]+$/g, '').slice(0, 200);
  return name === '' ? 'pipelines' : name === ownPackage().name ? `${name}-project` : name;
}
