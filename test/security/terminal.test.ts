import { expect, it } from 'vitest';
import { renderProblems } from '../../src/cli/render-error.ts';
import type { PipeError } from '../../src/errors.ts';
import { Sandbox } from '../promises/sandbox.ts';

/** What a terminal may obey: C0 but for the end of a line, DEL, C1. */
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;
const evil = '\u001b[2J\u001b]0;title\u0007\u009b31m\u0090q\u0085\u202e';

it('control characters of records reach no line of stderr and no error', async () => {
  const box = await Sandbox.open();
  try {
    box.write('pipelines/p.yaml', 'name: p\nsources:\n  t:\n    schema: a STRING, n INT\nsinks:\n  o:\n    sql: SELECT CAST(a AS INT) AS i, n FROM t\n');
    const record = { value: Buffer.from(JSON.stringify({ a: evil, n: 1 })) };
    await box.send('t', 1, Array.from({ length: 1200 }, (_, i) => (i % 2 === 0 ? record : { value: Buffer.from(`{"a":"1","n":"${'\u009b'}31m"}`) })));
    const warned = await box.run(['p', '--no-print']);
    expect(warned.err).toContain('warning: p: 1200 of 1200 records are bad');
    expect(warned.err).not.toMatch(OBEYED);
    const stopped = await box.run(['p', '--no-print', '--reset-state', '--on-error', 'stop']);
    expect(stopped.problems).toHaveLength(1);
    expect(renderProblems(stopped.problems as PipeError[], { color: false })).not.toMatch(OBEYED);
    expect(stopped.err).not.toMatch(OBEYED);
  } finally {
    await box.close();
  }
});
