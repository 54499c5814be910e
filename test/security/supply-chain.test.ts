import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(join(root, name), 'utf8');

interface Locked {
  readonly license?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
}

const locked = Object.entries((JSON.parse(read('package-lock.json')) as { packages: Readonly<Record<string, Locked>> }).packages).filter(([path]) => path !== '');
const runtime = locked.filter(([, p]) => p.dev !== true);
const nameOf = (path: string): string => path.replace(/^.*node_modules\//, '');

/** All that is installed with pipe, with its licence: whoever adds a package adds it here and says why in the commit. */
const ALLOWED = `
@types/pegjs MIT|base64-js MIT|better-sqlite3 MIT|better-sqlite3-napi MIT|big-integer Unlicense|bindings MIT|bl MIT|buffer MIT|chownr ISC|decompress-response MIT|deep-extend MIT|detect-libc Apache-2.0
end-of-stream MIT|expand-template (MIT OR WTFPL)|file-uri-to-path MIT|fs-constants MIT|github-from-package MIT|ieee754 BSD-3-Clause|inherits ISC|ini ISC|kafkajs MIT|mimic-response MIT|minimist MIT|mkdirp-classic MIT
napi-build-utils MIT|node-abi MIT|node-addon-api MIT|node-sql-parser Apache-2.0|once ISC|prebuild-install MIT|pump MIT|rc (BSD-2-Clause OR MIT OR Apache-2.0)|readable-stream MIT|safe-buffer MIT|semver ISC|simple-concat MIT
simple-get MIT|string_decoder MIT|strip-json-comments MIT|tar-fs MIT|tar-stream MIT|tunnel-agent Apache-2.0|util-deprecate MIT|wrappy ISC|zstddec MIT AND BSD-3-Clause
`.trim().split(/[\n|]/).sort();

it('what is installed is on the list, with its licence', () => {
  expect([...new Set(runtime.map(([path, p]) => `${nameOf(path)} ${p.license ?? 'none'}`))].sort()).toEqual(ALLOWED);
  expect(locked.filter(([, p]) => p.dev === true && !['MIT', 'Apache-2.0', 'MPL-2.0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD'].includes(p.license ?? '')).map(([path]) => path)).toEqual([]);
});

it('every package is pinned by its hash, and one runs a script when it is installed', () => {
  expect(locked.filter(([, p]) => !/^sha512-/.test(p.integrity ?? '')).map(([path]) => path)).toEqual([]);
  expect(locked.filter(([, p]) => p.hasInstallScript === true).map(([path]) => nameOf(path))).toEqual(['better-sqlite3']);
});

it('what reaches into the inside of a package has its exact version', () => {
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Readonly<Record<string, string>> };
  expect(Object.keys(dependencies).sort()).toEqual(['better-sqlite3', 'kafkajs', 'node-sql-parser', 'zstddec']);
  expect(Object.entries(dependencies).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)).map(([name]) => name)).toEqual(['better-sqlite3']);
});

it('what is published is what was built, the pipelines and the pages', () => {
  const { status, stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'], { cwd: root, encoding: 'utf8' });
  expect(status).toBe(0);
  const files = ((JSON.parse(stdout) as { files: { path: string }[] }[])[0]?.files ?? []).map(f => f.path);
  expect(files.filter(f => !/^dist\/[\w./-]+\.js$/.test(f)).map(f => f.replace(/-[0-9a-f]{12}\./, '-HASH.')).sort()).toEqual(['README.md', 'SECURITY.md', 'compose.yaml', 'dist/chunks/LICENSES.txt', 'dist/dashboard/LICENSES.txt', 'dist/dashboard/app-HASH.css', 'dist/dashboard/index.html', 'dist/testing.d.ts', 'grafana/pipe.json', 'package.json', 'pipelines/balances.yaml', 'pipelines/data/transactions.jsonl', 'pipelines/fraud.yaml', 'pipelines/pipe-test.schema.json', 'pipelines/pipe.schema.json', 'templates/README.md', 'templates/blank.yaml', 'templates/env.example', 'templates/events.jsonl', 'templates/gitignore']);
  expect(files).toContain('dist/cli/main.js');
});

it('no page tells to run npx pipe before pipe is installed: that name is another package', () => {
  for (const page of ['README.md', 'SECURITY.md']) {
    const text = read(page);
    const first = text.search(/npx pipe\b/);
    if (first >= 0) expect(text.slice(0, first), page).toMatch(/npm (ci|install)\b/);
  }
});
