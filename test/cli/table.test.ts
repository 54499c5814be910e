import { describe, expect, it, vi } from 'vitest';
import { LiveView, liveLines, Rate, summaryLine } from '../../src/cli/live.ts';
import { bytes, clockTime, duration, grouped } from '../../src/cli/numbers.ts';
import { fit, harmless, Table, width } from '../../src/cli/table.ts';
import type { Progress } from '../../src/engine/progress.ts';
import { Capture } from './fake-io.ts';

const columns = [{ name: 'account', type: 'STRING', right: false }, { name: 'balance', type: 'DECIMAL(38,2)', right: true }];

describe('a table', () => {
  it('has types under the names and numbers on the right', () => {
    const t = new Table(columns);
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
    const t = new Table(columns);
    t.rows([['a', '1']]);
    expect(t.rows([['a much longer account', '2']])).toBe('│ a much… │             2 │\n');
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
    expect(new Table(columns).rows([['\u001b[2J\r', 'x\ny']])).not.toMatch(/[\u001b\r]/);
  });
});

const progress: Progress = {
  name: 'balances', state: 'running', lag: 12, keys: 913, memory: 1_234_567, lastProblem: null,
  counts: { records_in: 10, rows_out: 3, filtered: 0, late: 3, future: 1, undecodable: 2, failed: 4 },
  sources: [{ name: 'transactions', watermark: Date.UTC(2026, 0, 5, 12, 0, 41), holder: 1, lag: 12 }],
};
const now = Date.UTC(2026, 0, 5, 12, 0, 43);

describe('the live view', () => {
  it('says how each job goes, within the width', () => {
    const lines = liveLines('2 jobs · embedded log · following', [{ progress, rate: { in: 8412, out: 1204 } }, { progress: { ...progress, name: 'fraud', lastProblem: 'user.data.type: "a\u001b[2J"' }, rate: { in: 0, out: 0 } }], now, 80);
    expect(lines[1]).toMatch(/^ JOB +STATE +IN\/s +OUT\/s +LAG +WATERMARK +KEYS +STATE +LATE +DEAD$/);
    expect(lines[2]).toMatch(/^ balances +● run +8,412 +1,204 +12 +12:00:41 \(-2\.0 s\) +913 +1\.2 MB +3 +7$/);
    expect(lines[4]).toMatch(/^ ▲ fraud: user\.data\.type/);
    for (const l of lines) {
      expect(width(l)).toBeLessThanOrEqual(80);
      expect(l).not.toContain('\u001b');
    }
    for (const l of liveLines('x'.repeat(200), [{ progress: { ...progress, name: 'n'.repeat(200) }, rate: { in: 1e9, out: 1e9 } }], now, 40)) expect(width(l)).toBeLessThanOrEqual(40);
  });

  it('is redrawn in place on a terminal, with rows above it, and leaves nothing behind', () => {
    vi.useFakeTimers();
    try {
      const err = new Capture();
      err.isTTY = true;
      const view = new LiveView(err, '1 job', [{ progress: () => progress }]);
      vi.advanceTimersByTime(250);
      expect(err.text.split('\n')).toHaveLength(4);
      expect(err.text).not.toContain('\u001b');
      err.chunks.length = 0;
      vi.advanceTimersByTime(250);
      expect(err.text.startsWith('\u001b[3A\r\u001b[J pipe  1 job\n')).toBe(true);
      // made narrower: each line of the old block may now take two
      err.columns = 40;
      err.chunks.length = 0;
      view.above(() => { err.write('a row\n'); });
      expect(err.text).toMatch(/^\u001b\[5A\r\u001b\[Ja row\n$/);
      view.stop();
      err.chunks.length = 0;
      vi.advanceTimersByTime(5000);
      expect(err.text).toBe('');
    } finally {
      vi.useRealTimers();
    }
  });

  it('is a line each ten seconds elsewhere', () => {
    vi.useFakeTimers();
    try {
      const err = new Capture();
      const view = new LiveView(err, '1 job', [{ progress: () => progress }]);
      vi.advanceTimersByTime(20_000);
      view.stop();
      expect(err.text.split('\n').filter(l => l.startsWith('balances  ')).length).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('has a plain line for logs', () => {
    expect(summaryLine(progress, { in: 8412, out: 1204 }, now)).toBe('balances  8,412 in/s · 1,204 out/s · lag 12 · watermark 12:00:41 · 3 late · 7 dead letters');
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
