import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project } from './project.ts';

let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

const KEYS = 60_000;

const pipeline = (memory: string): string => `name: many
sources:
  events:
    schema: id STRING, at BIGINT
    event_time: {from: at, unit: ms}
sinks:
  counts:
    sql: SELECT id, COUNT(*) AS n FROM events GROUP BY id, TUMBLE(ts, INTERVAL '1' MINUTE)
settings: {memory: ${memory}}
`;

it('state of several workers past settings.memory stops the pipeline, names the operator and its keys, and loses nothing', async () => {
  const lines = Array.from({ length: KEYS }, (_, i) => `{"id":"key-${i}","at":${i % 1000}}\n`).join('');
  await p.run(['topics', 'send', 'events'], { input: lines });
  p.write('many.yaml', pipeline('2MB'));
  const stopped = await p.run(['run', 'many.yaml', '--no-print', '--quiet', '--workers', '2']);
  expect([stopped.code, stopped.out]).toEqual([30, '']);
  expect(stopped.err).toMatch(/error\[system\.resource\.memory\]: state in memory has passed settings\.memory \(2 MB\): operator "counts" holds \d[\d,]* keys\n {2}hint: run it with --workers 1, which puts on disk/);
  const done = await p.run(['run', 'many.yaml', '--json', '--no-print', '--workers', '1']);
  expect(done.err).toContain(`"rows_out":${KEYS},`);
  const rows = await p.run(['topics', 'tail', 'counts', '--from-beginning', '--until-end']);
  expect(rows.lines.length).toBe(KEYS);
  expect(rows.lines.every(l => l.endsWith('"n":1}'))).toBe(true);
}, 300_000);
