import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { report, useColor, type Renderer, type ReportOptions } from '../../src/cli/report.ts';
import { PipeError, PipeErrors } from '../../src/errors.ts';
import { fakeIo } from './fake-io.ts';

let dir: string;
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'pipe-report-')); });
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const renderer: Renderer = {
  renderProblems: (problems, { color }) => problems.map(p => `${color ? '!' : ''}${p.code}: ${p.message} (${p.hint ?? ''})\n`).join(''),
  problemJson: p => ({ code: p.code, message: p.message }),
};
const options: ReportOptions = { json: false, logs: false, debug: false, color: undefined, dataDir: undefined, argv: ['run', 'x.yaml'], version: '1.2.3' };

describe('what stopped a command', () => {
  it('is printed on stderr, and the first problem gives the exit code', () => {
    const io = fakeIo({ cwd: dir });
    const exit = report(new PipeErrors([new PipeError('user.sql.type', 'one'), new PipeError('system.state.locked', 'two')]), io, options, renderer);
    expect([exit, io.out.text, io.err.text]).toEqual([3, '', 'user.sql.type: one ()\nsystem.state.locked: two ()\n']);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('is one object a line with --json', () => {
    const io = fakeIo({ cwd: dir });
    expect(report(new PipeError('system.source.unreachable', 'away'), io, { ...options, json: true }, renderer)).toBe(10);
    expect(io.err.text).toBe('{"code":"system.source.unreachable","message":"away"}\n');
  });

  it('when nobody expected it is one line and a private file with the trace', () => {
    const io = fakeIo({ cwd: dir, env: { PIPE_DATA_DIR: join(dir, 'data'), SECRET: 'hunter2' } });
    const cause = new TypeError('x is not a function');
    expect(report(new Error('boom\nsecond line', { cause }), io, options, renderer)).toBe(1);
    const [file] = readdirSync(join(dir, 'data')) as [string];
    expect(io.err.text).toBe(`bug.unexpected: pipe failed in a way that it never should: boom (please report it with ${join(dir, 'data', file)})\n`);
    const text = readFileSync(join(dir, 'data', file), 'utf8');
    expect(text).toMatch(/^pipe 1\.2\.3, node v[^]*\npipe run x\.yaml\n[^]*Error: boom[^]*at [^]*caused by TypeError: x is not a function/);
    expect(text).not.toContain('hunter2');
    expect(statSync(join(dir, 'data', file)).mode & 0o777).toBe(0o600);
  });

  it('shows the trace on stderr with --debug only', () => {
    const io = fakeIo({ cwd: dir });
    report(new PipeError('user.sql.type', 'one'), io, { ...options, debug: true }, renderer);
    expect(io.err.text).toMatch(/PipeError: one\n +at /);
  });
});

describe('colours', () => {
  it('are for terminals, unless --color or NO_COLOR say otherwise', () => {
    const on = (tty: boolean, env: Record<string, string>, flag?: string): boolean => {
      const io = fakeIo({ env });
      io.err.isTTY = tty;
      return useColor(flag, io);
    };
    expect([on(true, {}), on(false, {}), on(true, { NO_COLOR: '1' }), on(true, { NO_COLOR: '' }), on(false, { NO_COLOR: '1' }, 'always'), on(true, {}, 'never')]).toEqual([true, false, false, true, true, false]);
  });
});
