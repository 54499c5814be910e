import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project } from './project.ts';

let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

const KEYS = 250_000;

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

it('state that threads cannot hold in half of settings.memory goes on in one, which puts it on disk', async () => {
  const lines = Array.from({ length: KEYS }, (_, i) => `{"id":"key-${i}","at":${i % 1000}}\n`).join('');
  await p.run(['topics', 'send', 'events'], { input: lines });
  p.write('many.yaml', pipeline('2MB'));
  const done = await p.run(['run', 'many.yaml', '--no-print', '--workers', '2']);
  expect([done.code, done.out]).toEqual([0, '']);
  expect(done.err).toMatch(/many {2}2 threads share the work\nmany {2}goes on in one thread, which puts on disk what does not fit: its state takes half of settings\.memory\nmany {2}state goes to disk from here on: operator "counts" holds \d+ keys/);
  expect(done.err).toMatch(/250,000 in · 250,000 out/);
  const rows = await p.run(['topics', 'tail', 'counts', '--from-beginning', '--until-end']);
  expect(rows.lines.length).toBe(KEYS);
  expect(rows.lines.every(l => l.endsWith('"n":1}'))).toBe(true);
}, 300_000);
