import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { fakeIo } from '../cli/fake-io.ts';
import { main, Project } from './project.ts';

// the built command (dist): a pipeline that comes from stdin
let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

const text = `name: typed
sources:
  notes: {schema: "n BIGINT", sample: pipelines/notes.jsonl}
sinks:
  out: {sql: SELECT n FROM notes}
tests:
  - {name: one, input: {notes: [{n: 1}]}, expect: {out: [{n: 1}]}}
`;

/** What a shell prints that gives it a pipeline so. */
function shell(line: string): readonly [code: number | null, out: string, err: string] {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', line, process.execPath, main], { cwd: p.dir, encoding: 'utf8', env: { ...process.env, PIPE_BROKERS: 'none', NO_COLOR: '1', TEXT: text } });
  return [status, stdout, stderr];
}

it('- is stdin: a pipe, a file or a socket; paths are those of the project', async () => {
  p.write('notes.jsonl', '{"n":7}\n');
  // what Node gives a child as stdin is a socket
  const socket = await p.run(['run', '-', '--until-end'], { input: text });
  expect([socket.code, socket.out]).toEqual([0, '{"n":7}\n']);
  expect(socket.err).toContain('typed  topic notes made with 1 record from pipelines/notes.jsonl\n');
  expect(shell('(sleep 0.3; printf %s "$TEXT") | "$0" "$1" run - --until-end --reset-state')).toEqual([0, '{"n":7}\n', expect.stringContaining('typed  ✓ 1 in')]);
  p.write('kept.txt', text);
  expect(shell('"$0" "$1" run - --until-end --workers 2 < pipelines/kept.txt')).toEqual([0, '', expect.stringContaining('goes on where it stopped')]);
});

it.each([
  ['validate -', 'ok  /dev/stdin: typed, 1 source (notes), 1 sink (out)\n'], ['explain -', 'stdin · 1 source'], ['config -', 'name '], ['test -', '1 test: 1 passed'], ['dlq ls -', ''], ['state query - "SELECT 1 AS n" --json', '{"n":1}\n'],
])('so it is for %s', async (command, says) => {
  p.write('notes.jsonl', '{"n":7}\n');
  p.write('kept.yaml', text);
  await p.run(['run', 'kept', '--until-end']);
  expect(shell(`printf %s "$TEXT" | "$0" "$1" ${command}`)).toEqual([0, expect.stringContaining(says), expect.not.stringContaining('error')]);
});

it('is refused where somebody would have to type it, and where it would be written or read again', async () => {
  const io = fakeIo({ cwd: p.dir });
  for (const command of ['run', 'explain', 'validate', 'test', 'doctor']) {
    await expect(dispatch([command, '-'], { ...io, in: Object.assign(io.in, { isTTY: true }) }, commands, () => '0')).rejects.toMatchObject({ code: 'user.usage.bad_value', message: '- reads the pipeline from stdin, which is a terminal here', hint: 'pipe run - < FILE, or name the file' });
  }
  for (const flag of ['--update', '--watch']) expect(shell(`printf %s "$TEXT" | "$0" "$1" test - ${flag}`)).toEqual([2, '', `error[user.usage.bad_value]: ${flag} wants files, and - is stdin\n`]);
  // nobody says anything
  expect(shell('"$0" "$1" run - < /dev/null')[0]).toBe(3);
});
