import { describe, expect, it, vi } from 'vitest';
import { LiveView, liveLines, Rate } from '../../src/cli/live.ts';
import { ProgressLog, progressLine } from '../../src/cli/progress-log.ts';
import { bytes, clockTime, duration, grouped } from '../../src/numbers.ts';
import { Table } from '../../src/cli/table.ts';
import { fit, harmless, width } from '../../src/cli/text-width.ts';
import type { Progress } from '../../src/engine/progress.ts';
import { Capture } from './fake-io.ts';

const columns = [{ name: 'account', type: 'STRING', right: false, whole: false }, { name: 'balance', type: 'DECIMAL(38,2)', right: true, whole: true }];
const wide = (): number => 80;

describe('a table', () => {
  it('has types under the names and numbers on the right', () => {
    const t = new Table(columns, wide);
    expect(t.rows([['1234', '250.00'], ['5678', '-50.00']]) + t.end()).toBe(
      `┌─────────┬───────────────┐
│ account │ balance       │
│ STRING  │ DECIMAL(38,2) │
├─────────┼───────────────┤
│ 1234    │        250.00 │
│ 5678    │        -50.00 │
└─────────┴───────────────┘
`);
    expect(t.end()).toBe('');
  });

  it('keeps its widths for later rows', () => {
    const t = new Table(columns, wide);
    t.rows([['a', '1']]);
    expect(t.rows([['a much longer account', '2']])).toBe('│ a much… │             2 │\n');
  });

  const alerts = [
    { name: 'account', type: 'BIGINT', right: true, whole: true }, { name: 'total_activity', type: 'DECIMAL(38,2)', right: true, whole: true }, { name: 'threshold', type: 'DECIMAL(5,1)', right: true, whole: true },
    { name: 'alert_type', type: 'STRING', right: false, whole: false }, { name: 'message', type: 'STRING', right: false, whole: false },
  ];
  const alert = ['9999', '7500.00', '5000.0', 'HIGH_ACTIVITY', 'Account 9999 has $7500.00 activity in 1 minute (threshold: $5000.0)'];

  it('gives up text, then heads, before it gets wider than the terminal; never digits', () => {
    for (const room of [160, 120, 80, 60, 50]) {
      const t = new Table(alerts, () => room);
      const lines = (t.rows([alert]) + t.end()).trimEnd().split('\n');
      expect(lines).toHaveLength(6);
      for (const l of lines) expect(width(l)).toBeLessThanOrEqual(room);
      expect(lines[4]).toMatch(/^│ +9999 │ +7500\.00 │ +5000\.0 │ HIGH_/);
    }
    expect(new Table(alerts, () => 80).rows([alert]).split('\n')[4]).toBe('│    9999 │        7500.00 │       5000.0 │ HIGH_ACTIVITY │ Account 9999 has … │');
  });

  it('is lines of names and values where that is not enough', () => {
    const t = new Table(alerts, () => 40);
    expect(t.rows([alert, alert.map((x, j) => (j === 0 ? '1' : x))]) + t.end()).toBe(`account: 9999  total_activity: 7500.00
  threshold: 5000.0
  alert_type: HIGH_ACTIVITY
  message: Account 9999 has $7500.00 ac…
account: 1  total_activity: 7500.00
  threshold: 5000.0
  alert_type: HIGH_ACTIVITY
  message: Account 9999 has $7500.00 ac…
`);
  });

  it('has the day in the head where that makes it fit', () => {
    const times = [...columns, { name: 'window_start', type: 'TIMESTAMP(3)', right: false, whole: true }, { name: 'window_end', type: 'TIMESTAMP(3)', right: false, whole: true }];
    const t = new Table(times, () => 50);
    expect(t.rows([['1234', '250.00', '2024-01-01 12:00:00', '2024-01-01 12:00:10'], ['5678', '1.00', 'NULL', '2024-01-01 12:00:10']]) + t.rows([['1', '-1.00', '2024-01-01 23:59:50', '2024-01-02 00:00:00']])).toBe(
      `┌─────────┬──────────┬──────────────┬────────────┐
│ account │ balance  │ window_start │ window_end │
│ STRING  │ DECIMAL… │ 2024-01-01   │ 2024-01-01 │
├─────────┼──────────┼──────────────┼────────────┤
│ 1234    │   250.00 │ 12:00:00     │ 12:00:10   │
│ 5678    │     1.00 │ NULL         │ 12:00:10   │
└─────────┴──────────┴──────────────┴────────────┘
┌─────────┬──────────┬──────────────┬────────────┐
│ account │ balance  │ window_start │ window_end │
│ STRING  │ DECIMAL… │ 2024-01-01   │ 2024-01-02 │
├─────────┼──────────┼──────────────┼────────────┤
│ 1       │    -1.00 │ 23:59:50     │ 00:00:00   │
`);
  });

  it('begins anew when the terminal has another width, or a number needs more', () => {
    let room = 80;
    const t = new Table(columns, () => room);
    t.rows([['1234', '1.00']]);
    expect(t.rows([['1234', '123456789012345.00']])).toMatch(/^└─+┴─+┘\n┌[^]*\n│ 1234    │ 123456789012345\.00 │\n$/);
    room = 20;
    const narrow = t.rows([['1234', '1.00']]);
    expect(narrow).toMatch(/^┌/);
    for (const l of narrow.trimEnd().split('\n')) expect(width(l)).toBeLessThanOrEqual(20);
    expect(t.rows([['5678', '2.00']])).toMatch(/^│ 5678[^\n]+\n$/);
  });

  it('counts columns as terminals do', () => {
    expect(width('漢字')).toBe(4);
    expect(width('e\u0301')).toBe(1);
    expect(width('👍')).toBe(2);
    expect(fit('漢字漢字', 5)).toBe('漢字…');
    expect(fit('漢字漢字', 6)).toBe('漢字… ');
  });

  it('lets no control character of data reach the terminal', () => {
    expect(harmless('a\u001b[31mred\u001b]0;title\u0007b\nc\u009b2J\u202e')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    expect(new Table(columns, wide).rows([['\u001b[2J\r', 'x\ny']])).not.toMatch(/[\u001b\r]/);
  });
});

const progress: Progress = {
  name: 'balances', state: 'running', lag: 12, keys: 913, memory: 1_234_567, onDisk: 0, lastProblem: null,
  counts: { records_in: 10, rows_out: 3, filtered: 0, late: 3, future: 1, undecodable: 2, failed: 4 },
  sources: [{ name: 'transactions', watermark: Date.UTC(2026, 0, 5, 12, 0, 41), holder: 1, lag: 12 }],
};
const job = { progress, rate: { in: 8412, out: 1204 }, away: false };
const now = Date.UTC(2026, 0, 5, 12, 0, 43);

describe('the live view', () => {
  it('says how each job goes, within the width', () => {
    const lines = liveLines('2 jobs · embedded log · following', [job, { ...job, progress: { ...progress, name: 'fraud', lastProblem: 'user.data.type: "a\u001b[2J"' }, rate: { in: 0, out: 0 } }], now, 80);
    expect(lines[1]).toMatch(/^ JOB +STATE +IN\/s +OUT\/s +LAG +WATERMARK +KEYS +MEMORY +LATE +BAD$/);
    expect(lines[2]).toMatch(/^ balances +● run +8,412 +1,204 +12 +12:00:41 \(-2\.0 s\) +913 +1\.2 MB +3 +7$/);
    expect(lines[4]).toMatch(/^ ▲ fraud: user\.data\.type/);
    for (const l of lines) {
      expect(width(l)).toBeLessThanOrEqual(80);
      expect(l).not.toContain('\u001b');
    }
    for (const l of liveLines('x'.repeat(200), [{ ...job, progress: { ...progress, name: 'n'.repeat(200) }, rate: { in: 1e9, out: 1e9 } }], now, 40)) expect(width(l)).toBeLessThanOrEqual(40);
  });

  it('says that there may be fewer keys where a part of them is on disk', () => {
    const [, , line] = liveLines('x', [{ ...job, progress: { ...progress, keys: 1234, onDisk: 5_600_000 } }], now, 100);
    expect(line).toMatch(/ ≤ 1,234 +1\.2 MB \+ 5\.6 MB on disk /);
  });

  it('leaves out what matters less, and the bad records last', () => {
    const busy = { ...job, progress: { ...progress, lag: 1_234_567, keys: 1_000_000, counts: { ...progress.counts, late: 12_345 } }, rate: { in: 123_456, out: 98_765 } };
    const heads = [120, 80, 72, 60, 50, 40, 30, 20].map(columns => {
      const [, head = '', line = ''] = liveLines('1 job', [busy], now, columns);
      expect(width(line)).toBeLessThanOrEqual(columns);
      expect(line).toMatch(/^ balances[^]* 7$/);
      return head.trim().split(/ +/);
    });
    expect(heads[0]).toEqual(['JOB', 'STATE', 'IN/s', 'OUT/s', 'LAG', 'WATERMARK', 'KEYS', 'MEMORY', 'LATE', 'BAD']);
    expect(heads[1]).toEqual(['JOB', 'STATE', 'IN/s', 'OUT/s', 'LAG', 'WATERMARK', 'LATE', 'BAD']);
    for (const head of heads) expect(head.at(-1)).toBe('BAD');
    expect(heads.at(-1)).toEqual(['JOB', 'BAD']);
  });

  it('shortens a watermark of another day', () => {
    const at = (watermark: number, columns: number): string => liveLines('', [{ ...job, progress: { ...progress, sources: [{ name: 't', watermark, holder: 1, lag: 0 }] } }], now, columns)[2] as string;
    expect(at(Date.UTC(2024, 0, 1, 12, 59, 50), 80)).toContain('  2024-01-01 12:59  ');
    expect(at(Date.UTC(2024, 0, 1, 12, 59, 50), 63)).toContain('  2024-01-01  ');
    expect(at(-Infinity, 80)).toContain('  -  ');
  });

  it('names a partition that holds event time back before its first record', () => {
    const held = { ...job, progress: { ...progress, sources: [{ name: 'transactions', watermark: -Infinity, holder: 2, lag: 0 }] } };
    expect(liveLines('', [held], now, 80).at(-1)).toBe(' ▲ balances: transactions waits for a first record in partition 2');
    expect(JSON.parse(progressLine(held.progress, held.rate, false, now))).toMatchObject({ watermark: null, waits_for: [{ source: 'transactions', partition: 2 }] });
    expect(liveLines('', [job], now, 80).join()).not.toContain('waits');
    // one that has ended waits for nothing
    expect(liveLines('', [{ ...held, progress: { ...held.progress, state: 'failed' } }], now, 80).join()).not.toContain('waits');
  });

  it('shows no old figures as new ones while the broker is away', () => {
    const away = { ...job, away: true };
    expect(liveLines('', [away], now, 80)[2]).toMatch(/^ balances +▲ away +- +- +- +12:00:41/);
    expect(liveLines('', [{ ...away, progress: { ...progress, state: 'draining' } }], now, 80)[2]).toMatch(/^ balances +◐ drain +- +- +- /);
    expect(JSON.parse(progressLine(away.progress, away.rate, true, now))).toMatchObject({ away: true });
  });

  it('is redrawn in place on a terminal, with rows above it, and leaves nothing behind', () => {
    vi.useFakeTimers();
    try {
      const err = new Capture();
      err.isTTY = true;
      const view = new LiveView(err, [{ progress: () => progress, away: () => false }], { title: '1 job', following: true, rows: () => [] });
      vi.advanceTimersByTime(250);
      expect(err.text.split('\n')).toHaveLength(4);
      expect(err.text).not.toContain('\u001b');
      err.chunks.length = 0;
      vi.advanceTimersByTime(250);
      expect(err.text.startsWith('\u001b[3A\r\u001b[K\u001b[B\u001b[J\u001b[A pipe  1 job\n')).toBe(true);
      // made narrower: each line of the old block may now take two
      err.columns = 40;
      err.chunks.length = 0;
      view.above(() => { err.write('a row\n'); });
      expect(err.text).toMatch(/^\u001b\[5A\r\u001b\[K\u001b\[B\u001b\[J\u001b\[Aa row\n$/);
      view.stop();
      err.chunks.length = 0;
      vi.advanceTimersByTime(5000);
      expect(err.text).toBe('');
    } finally {
      vi.useRealTimers();
    }
  });

  it('says how long a backlog takes yet, and shows the newest rows', () => {
    const behind = { ...job, progress: { ...progress, lag: 84_120, counts: { ...progress.counts, records_in: 15_880 } } };
    expect(liveLines('', [behind], now, 80).at(-1)).toBe(' ▲ balances: 84,120 records to catch up with: 16 % done, about 10 s left');
    vi.useFakeTimers();
    try {
      const err = new Capture();
      err.isTTY = true;
      err.columns = 41;
      const view = new LiveView(err, [{ progress: () => progress, away: () => false }], { title: '1 job', following: true, rows: () => ['→ out  {"account":"\u001b[2J","balance":1234567.00}'] });
      vi.advanceTimersByTime(250);
      expect(err.text.split('\n').at(-2)).toBe(' → out  {"account":"","balance":1234567…');
      view.stop();
    } finally {
      vi.useRealTimers();
    }
  });

  it('of a run to the end waits a second for it to be over', () => {
    vi.useFakeTimers();
    try {
      const err = new Capture();
      err.isTTY = true;
      const view = new LiveView(err, [{ progress: () => progress, away: () => false }], { title: '1 job', following: false, rows: () => [] });
      vi.advanceTimersByTime(900);
      expect(err.text).toBe('');
      vi.advanceTimersByTime(500);
      expect(err.text).toContain(' pipe  1 job\n');
      view.stop();
    } finally {
      vi.useRealTimers();
    }
  });

  it('is a line of JSON each ten seconds elsewhere', () => {
    vi.useFakeTimers();
    try {
      const err = new Capture();
      const began = Date.now();
      const counted = (): typeof progress => {
        const seconds = (Date.now() - began) / 1000;
        return { ...progress, counts: { ...progress.counts, records_in: 500 + 1200 * seconds, rows_out: 30 * seconds } };
      };
      const view = new ProgressLog(err, [{ progress: counted, away: () => false }]);
      vi.advanceTimersByTime(20_000);
      view.stop();
      const lines = err.text.trimEnd().split('\n').map(l => JSON.parse(l) as Record<string, unknown>);
      // from the start on, and then since the line before
      expect(lines.map(l => [l['pipeline'], l['in_per_s'], l['out_per_s'], l['records_in']])).toEqual([['balances', 1200, 30, 12_500], ['balances', 1200, 30, 24_500]]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('has all of it for logs', () => {
    expect(progressLine(progress, job.rate, false, now)).toBe(`{"v":1,"level":30,"time":${now},"msg":"progress","pipeline":"balances","state":"running","in_per_s":8412,"out_per_s":1204,"records_in":10,"rows_out":3,"lag":12,"watermark":${Date.UTC(2026, 0, 5, 12, 0, 41)},"keys":913,"memory_bytes":1234567,"disk_bytes":0,"late":3,"dead_letters":7,"away":false,"waits_for":[],"last_problem":null}`);
  });

  it('takes rates over the last two seconds', () => {
    const r = new Rate();
    expect(r.add({ at: 0, records: 0, rows: 0 })).toEqual({ in: 0, out: 0 });
    expect(r.add({ at: 1000, records: 100, rows: 10 })).toEqual({ in: 100, out: 10 });
    expect(r.add({ at: 3000, records: 500, rows: 10 })).toEqual({ in: 200, out: 0 });
  });
});

describe('numbers for people', () => {
  it('are short', () => {
    expect([0, 999, 1234567, 1000].map(grouped)).toEqual(['0', '999', '1,234,567', '1,000']);
    expect([0, 999, 12_345, 1.2e6, 3.4e9].map(bytes)).toEqual(['0 B', '999 B', '12 KB', '1.2 MB', '3.4 GB']);
    expect([400, 12_000, 180_000, 8_000_000, 3e8].map(duration)).toEqual(['0.4 s', '12 s', '3 min', '2 h', '3 d']);
    expect([clockTime(-Infinity, 0), clockTime(0, 86_400_000), clockTime(5000, 0)]).toEqual(['-', '1970-01-01 00:00:00', '00:00:05']);
  });
});
