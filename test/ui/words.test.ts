import { readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ExactNumber, flow, Members, readJson, type Json } from '../../src/dashboard/exact-json.ts';
import { ago, behind, level, perSecond, seconds, time } from '../../src/dashboard/format.ts';
import { place, sinkId } from '../../src/dashboard/layout.ts';
import { quantile } from '../../src/dashboard/quantile.ts';
import { why } from '../../src/dashboard/why.ts';
import type { JobReport } from '../../src/observe/job.ts';
import { fresh, NOW, PLANS, running } from './scenes.ts';

const plain = (j: Json): unknown => (j instanceof ExactNumber ? Number(j.text) : j instanceof Members ? Object.fromEntries(j.all.map(([k, v]) => [k, plain(v)])) : Array.isArray(j) ? j.map(plain) : j);

describe('the page as it is shipped', () => {
  const folder = resolve(import.meta.dirname, '../../dist/dashboard');
  const files = readdirSync(folder);

  it('is one page, one script and one style sheet of at most 80 KB gzipped, with the licences of what is inside', () => {
    expect(files.map(f => f.replace(/-[0-9a-f]{12}\./, '-HASH.')).sort()).toEqual(['LICENSES.txt', 'app-HASH.css', 'app-HASH.js', 'index.html']);
    const sent = files.filter(f => f !== 'LICENSES.txt').map(f => gzipSync(readFileSync(resolve(folder, f))).length);
    expect(sent.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(80_000);
    const licences = readFileSync(resolve(folder, 'LICENSES.txt'), 'utf8');
    for (const name of ['preact', '@preact/signals', '@preact/signals-core', '@dagrejs/dagre', '@dagrejs/graphlib']) expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'));
  });

  it('asks no other host for anything and has no script or style in the page', () => {
    const text = files.filter(f => /\.(html|css|js)$/.test(f)).map(f => readFileSync(resolve(folder, f), 'utf8')).join('\n');
    expect([...text.matchAll(/https?:\/\/[\w./-]+/g)].map(m => m[0]).filter(u => !u.startsWith('http://www.w3.org/'))).toEqual([]);
    expect(readFileSync(resolve(folder, 'index.html'), 'utf8')).not.toMatch(/<style|<script(?! type="module" src=)| style=| on\w+=/);
    expect(text).not.toMatch(/\binnerHTML=(?!\w+\.__html)|dangerouslySetInnerHTML:|document\.write|\beval\(|new Function\(|@font-face|@import/);
  });
});

describe('JSON that keeps its numbers', () => {
  it('reads what JSON.parse reads, as JSON.parse reads it', () => {
    fc.assert(fc.property(fc.json({ depthSize: 'medium' }), fc.constantFrom('', ' ', '\n\t'), (text, blank) => {
      // an object takes that name for its prototype; the page keeps it
      fc.pre(!text.includes('__proto__'));
      expect(plain(readJson(`${blank}${text}${blank}`) as Json)).toEqual(JSON.parse(text));
    }));
  });

  it('reads nothing else', () => {
    for (const text of ['', '{', '[1,]', '{"a":1,}', "{'a':1}", '01', '1.', '+1', '"a', '"\n"', 'nul', 'true1', '{"a" 1}', '[1 2]', '1 2', 'NaN', '\u00a01']) {
      expect(() => { JSON.parse(text); }, text).toThrow();
      expect(readJson(text), text).toBeUndefined();
    }
    expect(readJson('['.repeat(5000))).toBeUndefined();
    expect(readJson(`"${'x'.repeat(2_000_000)}"`)).toHaveLength(2_000_000);
  });

  it('becomes YAML of one line that says the same', () => {
    fc.assert(fc.property(fc.json(), text => {
      fc.pre(!text.includes('__proto__'));
      const json = readJson(text) as Json;
      expect(parse(`a: ${flow(json)}`)).toEqual({ a: JSON.parse(text) as unknown });
    }));
  });
});

describe('words and figures', () => {
  it('are short and exact', () => {
    expect([0, 0.04, 0.42, 9, 12.4, 8412, 1_234_567, null].map(perSecond)).toEqual(['0', '<0.1', '0.4', '9', '12', '8,412', '1.2 M', '-']);
    expect([0.0005, 0.025, 1, 90, 150, 9000].map(seconds)).toEqual(['0.5 ms', '25 ms', '1 s', '90 s', '2.5 min', '2.5 h']);
    expect([null, 0, 0.32, 0.33, 0.65, 0.66, 1].map(level)).toEqual(['none', 'low', 'low', 'medium', 'medium', 'high', 'high']);
    expect([time(NOW, NOW), time(NOW), time(NOW + 5, NOW, true), time(null), time(9e15)]).toEqual(['12:00:41', '2026-05-12 12:00:41', '12:00:41.005', '-', '-']);
    expect([behind(NOW - 7000, NOW), behind(NOW + 3000, NOW), behind(0, NOW), ago(NOW - 200, NOW)]).toEqual(['7.0 s', '3.0 s ahead', 'at 1970-01-01', '0.2 s ago']);
  });

  it('quantiles lie within their bucket', () => {
    const h = { le: [1, 2, 4], counts: [2, 2, 4, 2], sum: 0, count: 10 };
    expect([0.1, 0.2, 0.3, 0.6, 0.8, 0.9].map(s => quantile(h, s))).toEqual([0.5, 1, 1.5, 3, 4, Infinity]);
    expect(quantile({ ...h, counts: [0, 0, 0, 0], count: 0 }, 0.5)).toBeNull();
  });

  it('a graph has every source, operator and sink once, none over another, and a line for each input', () => {
    for (const plan of Object.values(PLANS)) {
      for (const across of [true, false]) {
        const { nodes, edges } = place(plan, across);
        expect(nodes.map(n => n.id).sort()).toEqual([...plan.sources.map(s => s.id), ...plan.operators.map(o => o.id), ...plan.sinks.map(s => sinkId(s.name))].sort());
        expect(edges).toHaveLength(plan.operators.length + plan.sinks.length);
        for (const a of nodes) for (const b of nodes) if (a !== b) expect(Math.abs(a.x - b.x) >= 204 || Math.abs(a.y - b.y) >= 104).toBe(true);
      }
    }
  });
});

describe('why there is no output yet', () => {
  const plan = PLANS['fraud'] as (typeof PLANS)[string];
  const none = fresh('fraud', NOW);
  const busy = running({ name: 'fraud', plan: 'fraud', in: 100, out: 1 }, NOW);
  const quiet = { ...busy, run: { ...busy.run, rows_out: 0 } };
  const closed = { ...quiet, operators: quiet.operators.map(o => ({ ...o, rows_in: 0, rows_out: 0, windows: [], open_windows: 0 })) };
  const says = (job: JobReport): string => { const w = why(job, plan); return `${w.title} ${w.text}`; };

  it.each<[string, JobReport, RegExp]>([
    ['failed', { ...quiet, state: 'failed', error: { code: 'a.b.c', message: 'the disk is full' } }, /^It has failed\. the disk is full \(a\.b\.c\)$/],
    ['crashed', { ...quiet, state: 'crashed' }, /^Its process is gone\./],
    ['stopped', { ...busy, state: 'stopped', run: { ...busy.run, records_in: 12, rows_out: 1 } }, /^It was stopped before its end\. 12 records came and 1 row went out\. Nothing is lost: the next run goes on from there\.$/],
    ['paused', { ...quiet, state: 'paused' }, /^It is paused\./],
    ['broker away', { ...none, away: true }, /^Its broker does not answer\./],
    ['nothing came', none, /^No record has come yet\. It waits for new records in transactions\.$/],
    ['all refused', { ...quiet, run: { ...quiet.run, records_in: 12 } }, /^Every record was refused\. 12 records came and none could be used, most for user\.data\.type\.$/],
    ['a window is open', quiet, /^A window has to close first\. The next window, 12:00:00 to 12:01:00, holds 913 groups\. It closes when the watermark passes 12:00:59\.999; the watermark is 12:00:34, 26 s before that\. Partition 2 of transactions holds it: its last event is of 12:00:39\. Newer events there close it, or 10 s of silence\.$/],
    ['a window is open, to the end', { ...quiet, following: false }, /It closes at the end of the input\.$/],
    ['far behind', { ...closed, lag: 50_000, backlog_s: 20 }, /^It is catching up\. 50,000 records lie before it, about 20 s at the present rate\.$/],
    ['all filtered', { ...closed, run: { ...closed.run, records_in: 100, filtered: 97, late: 3, undecodable: 0 } }, /^Nothing came through\. Of 100 records and the rows made of them, 97 did not meet WHERE, 3 came late\.$/],
    ['HAVING held for none', { ...closed, run: { ...closed.run, records_in: 100, filtered: 0, late: 0, undecodable: 0 }, operators: closed.operators.map(o => ({ ...o, rows_in: o.id === 'fraud-alerts:select' ? 12 : 100, rows_out: o.id === 'fraud-alerts:select' ? 0 : 12, failed: 0 })) }, /^Nothing came through\. Of 100 records and the rows made of them, 12 did not meet HAVING\.$/],
    ['done without a row', { ...closed, state: 'done', run: { ...closed.run, records_in: 5, filtered: 5, late: 0, undecodable: 0 } }, /^It is done, and no row came out\. Of 5 records/],
    ['it flows', { ...busy, operators: closed.operators }, /^Output flows: 3,724 rows in this run\. It is up to date\.$/],
  ])('%s', (_, job, words) => {
    expect(says(job)).toMatch(words);
  });

  it('counts the groups that a condition left out under the word that it has', () => {
    const of = (...does: string[]): string => {
      const job: JobReport = { ...closed, run: { ...closed.run, records_in: 100, filtered: 88, late: 0, undecodable: 0 }, operators: closed.operators.map(o => ({ ...o, rows_in: 12, rows_out: o.id === 'fraud-alerts:select' ? 0 : 12, failed: 0 })) };
      return why(job, { ...plan, operators: plan.operators.map(o => (o.id === 'fraud-alerts:select' ? { ...o, does } : o)) }).text;
    };
    const all = 'Of 100 records and the rows made of them, ';
    expect(of('HAVING SUM(amount) > 5')).toBe(`${all}88 did not meet WHERE, 12 did not meet HAVING.`);
    expect(of('WHERE total > 5')).toBe(`${all}100 did not meet WHERE.`);
    expect(of('HAVING SUM(amount) > 5', 'WHERE total > 7')).toBe(`${all}88 did not meet WHERE, 12 did not meet HAVING and WHERE.`);
    expect(of('SELECT account')).toBe(`${all}88 did not meet WHERE.`);
  });
});
