import { afterEach, beforeEach, expect, it } from 'vitest';
import { PipeProject } from './pipe.ts';

let p: PipeProject;
beforeEach(() => { p = new PipeProject(); });
afterEach(() => { p.remove(); });

it('validate shows what is wrong with the SQL beside what is wrong with the rest of a file', async () => {
  p.write('v.yaml', `name: v
surces: 1
sources:
  s: {schema: "k STRING, v BIGINT"}
  q: {schema: "k STRANG"}
sinks:
  a: {sql: "SELECT k, nope FROM s", bad_field: 1}
  b: {sql: "SELEC k FROM s"}
  c: {sql: "SELECT x FROM q"}
  d: {sql: 12}
`);
  const r = await p.call(['validate', 'v', '--json']);
  // nothing of c: whether q has an x is known once its schema can be read
  expect([r.exit, r.json.map(e => `${String(e['line'])} ${String(e['code'])}`)]).toEqual([3, [
    '2 user.config.unknown_key', '5 user.sql.type', '7 user.sql.unknown_column', '7 user.config.unknown_key', '8 user.sql.syntax', '10 user.config.bad_type',
  ]]);
});
