import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Folder } from '../config/support.ts';
import { Sandbox } from '../promises/sandbox.ts';

const folder = new Folder();

it('no sample and no state folder lies outside of the project, whatever way is taken', () => {
  const outside = join(folder.dir, 'outside');
  const root = join(folder.dir, 'project');
  mkdirSync(outside);
  mkdirSync(join(root, 'pipelines/data'), { recursive: true });
  mkdirSync(`${root}-other`);
  writeFileSync(join(outside, 'secret'), 'x');
  symlinkSync(outside, join(root, 'pipelines/link'));
  symlinkSync(join(outside, 'secret'), join(root, 'pipelines/file'));
  symlinkSync('link', join(root, 'pipelines/link2'));
  symlinkSync('../../outside', join(root, 'pipelines/relative'));
  symlinkSync('/nowhere/at/all', join(root, 'pipelines/dangling'));
  const wrong = ['../..', '../../outside', '../../outside/secret', '../../../x', '/', '/etc', '/etc/passwd', outside, `${outside}/secret`, './../../outside', 'data/../../../outside', 'data/./../../../outside/secret', 'missing/../../../outside', 'link', 'link/secret', 'link/new', 'link2/secret', 'relative/secret', 'file', `${root}-other`, '../../project-other/x', '../../project-other', '/proc/self/environ', '/dev/null', '//etc/passwd'];
  // up to the root itself is inside
  const right = ['link/../x', 'data', 'data/x', './data', '../x', 'a b', '...', '..x', 'data/..', '%2e%2e/%2e%2e/etc', '~/x', 'file:x', 'C:\\x'];
  let escaped = 0;
  let cases = 0;
  const tried = (key: 'sample' | 'state', path: string): string[] => {
    const text = `name: p\nsources:\n  t:\n    schema: a STRING\n${key === 'sample' ? `    sample: ${JSON.stringify(path)}\n` : ''}sinks:\n  o:\n    sql: SELECT a FROM t\n${key === 'state' ? `settings: {state: ${JSON.stringify(path)}}\n` : ''}`;
    return folder.readIn(root, text);
  };
  for (const key of ['sample', 'state'] as const) {
    for (const path of wrong) {
      cases++;
      if (!tried(key, path).includes('user.config.path')) { escaped++; expect.soft(path, key).toBe('refused'); }
    }
    for (const path of right) expect(tried(key, path), `${key} ${path}`).toEqual([]);
  }
  process.stderr.write(`paths: traversal=${cases} escaped=${escaped}\n`);
  expect(cases).toBeGreaterThanOrEqual(40);
});

it('what pipe writes is for its user only', async () => {
  const box = await Sandbox.open();
  try {
    box.write('pipelines/p.yaml', 'name: p\nsources:\n  t:\n    schema: a STRING\nsinks:\n  o:\n    sql: SELECT a FROM t\n');
    await box.send('t', 1, [{ value: Buffer.from('{"a":"x"}') }, { value: Buffer.from('bad') }]);
    expect((await box.run(['p'])).problems).toEqual([]);
    const data = join(box.dir, '.pipe');
    const files = readdirSync(data, { recursive: true, encoding: 'utf8' });
    expect(files).toContain('topics.db');
    expect(files).toContain('state/p@embedded.db');
    for (const f of ['', ...files]) {
      const stat = statSync(join(data, f));
      expect(`${f} ${(stat.mode & 0o777).toString(8)}`).toBe(`${f} ${stat.isDirectory() ? '700' : '600'}`);
    }
  } finally {
    await box.close();
  }
});
