import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { width } from '../../src/cli/text-width.ts';
import { Project } from './project.ts';
import { noTmux, Terminal } from './tmux.ts';

// the built command (dist) in a real terminal
const HEAD = /^ JOB +STATE +IN\/s +OUT\/s +LAG +WATERMARK +KEYS +MEMORY +LATE +BAD$/;
const TITLE = ' pipe  2 jobs · embedded log · following · q quit  p pause  e explain';

/** The lines of the view: from its title to the last row of a sink. */
const viewOf = (lines: readonly string[]): string[] => lines.slice(lines.findLastIndex(l => l.startsWith(' pipe  '))).filter(l => l !== '');
const stateIs = (state: string) => (screen: readonly string[]): boolean => viewOf(screen).filter(l => /^ (balances|fraud) /.test(l) && l.includes(state)).length === 2;
const shown = (screen: readonly string[]): boolean => stateIs('● run')(screen) && screen.some(l => l.startsWith(' → fraud-alerts'));

describe.skipIf(noTmux() !== null)('the live view in a terminal', () => {
  let p: Project;
  let t: Terminal;
  beforeEach(() => { p = new Project(); });
  afterEach(() => {
    t.end();
    p.remove();
  });

  /** On a screen of 80 columns and 24 rows where nothing else is said. */
  const start = async (o: { readonly columns?: number; readonly rows?: number; readonly env?: Readonly<Record<string, string>>; readonly args?: string } = {}): Promise<string[]> => {
    t = new Terminal(p.dir, { columns: o.columns ?? 80, rows: o.rows ?? 24, ...(o.env === undefined ? {} : { env: o.env }) });
    t.type(`pipe run pipelines/ ${o.args ?? '--no-print'}; echo exit $?`);
    return t.until(shown);
  };
  const ended = (): Promise<string[]> => t.until(s => s.some(l => /^exit \d+$/.test(l)));

  it('has a line for each job and the newest rows of each sink, none of which wraps at 80 columns', async () => {
    const view = viewOf(await start());
    expect(view[0]).toBe(TITLE);
    expect(view[1]).toMatch(HEAD);
    expect(view[2]).toMatch(/^ balances +● run +[\d,]+ +[\d,]+ +0 +2024-01-01 12:04 +\d+ +\d+ KB +0 +0$/);
    expect(view[3]).toMatch(/^ fraud +● run +[\d,]+ +[\d,]+ +0 +2024-01-01 12:04 +\d+ +\d+ KB +0 +0$/);
    expect(view.slice(4, 7).every(l => l.startsWith(' → account-balances  {"account":"'))).toBe(true);
    expect(view[7]).toMatch(/^ → fraud-alerts {2}\{"account":9999,"total_activity":7500\.00,"threshold":5000\.0,.*…$/);
    // a line that wrapped would be a row more
    expect(view).toHaveLength(8);
    t.key('q');
    await ended();
  });

  it('q drains: the view goes, the summaries and exit code 0 come', async () => {
    await start();
    t.key('q');
    const screen = await ended();
    const end = screen.findIndex(l => l === 'exit 0');
    expect(screen[end - 2]).toMatch(/^balances {2}✓ 1,000 in · 639 out · 0 late · 0 bad records · /);
    expect(screen[end - 1]).toMatch(/^fraud {2}✓ 1,000 in · 1 out · 0 late · 0 bad records · /);
    const all = t.screen({ history: true });
    expect(all.filter(l => l.startsWith(' pipe  ') || l.startsWith(' JOB ') || l.startsWith(' → fraud-alerts'))).toEqual([]);
    // the keys belong to the shell again
    t.type('echo te""rminal');
    await t.until(s => s.includes('terminal'));
  });

  it('p pauses and goes on: nothing is read in between, all of it after', async () => {
    for (const name of ['balances.yaml', 'fraud.yaml']) p.write(name, readFileSync(join(p.dir, 'pipelines', name), 'utf8').replace('delay: 5s}', 'delay: 5s, idle: 1s}'));
    await start();
    t.key('p');
    await t.until(stateIs('‖ pause'));
    const sent = await p.run(['topics', 'send', 'transactions'], { input: '{"account":"4242","amount":7000,"timestamp":"1704120000","type":"deposit"}\n{"account":"1","amount":1,"timestamp":"1704130000","type":"deposit"}\n' });
    expect(sent.code).toBe(0);
    // more than a few turns of the loops, which look for records all the time
    await new Promise(r => setTimeout(r, 1000));
    expect(viewOf(t.screen()).join('\n')).not.toContain('4242');
    t.key('p');
    await t.until(s => stateIs('● run')(s) && viewOf(s).some(l => l.startsWith(' → fraud-alerts  {"account":4242,"total_activity":7000.00')));
    t.key('q');
    expect((await ended()).join('\n')).toMatch(/balances {2}✓ 1,002 in/);
  });

  it('e prints the plans above the view, as explain does', async () => {
    await start({ rows: 60 });
    const plans = (await Promise.all(['balances', 'fraud'].map(name => p.run(['explain', `${name}.yaml`])))).map(r => r.out.trimEnd()).join('\n\n');
    t.key('e');
    await t.until(s => s.filter(l => l === 'no warnings').length === 2 && viewOf(s).length === 8);
    const lines = t.lines();
    const at = lines.findIndex(l => l.startsWith('balances.yaml · '));
    expect(lines.slice(at, lines.indexOf(TITLE)).join('\n').trimEnd()).toBe(plans);
    expect(lines.filter(l => l === TITLE)).toHaveLength(1);
    t.key('q');
    await ended();
  });

  it('is one view that fits after the terminal was made narrower and wider', async () => {
    await start();
    for (const columns of [50, 120, 30, 80]) {
      t.resize(columns, 24);
      await t.until(s => shown(s) && viewOf(s).length === 8 && viewOf(s).every(l => width(l) < columns));
      // a few turns later it is still alone; what tmux has moved off the screen for longer lines, nobody can clear
      await new Promise(r => setTimeout(r, 600));
      const screen = await t.until(s => viewOf(s).length === 8);
      expect([columns, ...[' pipe  2 jobs', ' JOB ', ' balances ', ' → fraud-alerts'].map(start => screen.filter(l => l.startsWith(start)).length)]).toEqual([columns, 1, 1, 1, 1]);
    }
    t.key('q');
    await ended();
    expect(t.screen().filter(l => /^ (pipe {2}|JOB |→ fraud-alerts|balances )/.test(l))).toEqual([]);
  });

  it('in a terminal of few rows shows what fits and leaves nothing behind', async () => {
    t = new Terminal(p.dir, { columns: 80, rows: 6 });
    t.type('pipe run pipelines/ --no-print; echo exit $?');
    await t.until(stateIs('● run'));
    await new Promise(r => setTimeout(r, 800));
    await t.until(s => viewOf(s).length === 5);
    expect(t.screen({ history: true }).filter(l => l.startsWith(' pipe  '))).toHaveLength(1);
    t.key('q');
    await ended();
    expect(t.screen({ history: true }).filter(l => l.startsWith(' pipe  ') || l.startsWith(' JOB '))).toEqual([]);
  });

  it('has no colour with NO_COLOR', async () => {
    await start({ env: { NO_COLOR: '1' } });
    expect(t.coloured()).not.toContain('\u001b');
    t.key('q');
    await ended();
    expect(t.coloured()).not.toContain('\u001b');
  });

  it('Ctrl-C drains', async () => {
    await start();
    t.key('C-c');
    expect((await ended()).filter(l => l.startsWith('exit '))).toEqual(['exit 0']);
  });
});
