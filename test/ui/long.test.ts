import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, noBrowser } from './browser.ts';
import { BUSY } from './scenes.ts';
import { Stage } from './stage.ts';
import { PAGES, visit } from './visit.ts';

interface Held {
  readonly bytes: number;
  readonly nodes: number;
  readonly listeners: number;
}

/** What a page holds after everything that can go is gone. */
async function held(page: Page): Promise<Held> {
  const session = await page.context().newCDPSession(page);
  for (let i = 0; i < 3; i++) await session.send('HeapProfiler.collectGarbage');
  const { usedSize: bytes } = await session.send('Runtime.getHeapUsage');
  const { nodes, jsEventListeners: listeners } = await session.send('Memory.getDOMCounters');
  await session.detach();
  return { bytes, nodes, listeners };
}

describe.skipIf(noBrowser() !== null)('much and long', () => {
  let browser: Browser;
  let stage: Stage;
  beforeAll(async () => { [browser, stage] = [await launch(), await Stage.open(BUSY)]; });
  afterAll(async () => { await browser?.close(); await stage?.close(); });

  it('10,000 records of a topic scroll, and only those in view are in the page', async () => {
    stage.scene = BUSY;
    const page = await visit(browser, stage, '/topics/embedded/transactions?from=earliest&partition=0');
    const list = page.getByRole('listbox');
    const size = async (): Promise<number> => Number(await page.locator('.row').first().getAttribute('aria-setsize'));
    await expect.poll(size, { timeout: 10_000 }).toBeGreaterThanOrEqual(500);
    await list.focus();
    await expect.poll(async () => { await page.keyboard.press('End'); return size(); }, { timeout: 30_000 }).toBe(5200);
    await page.keyboard.press('End');
    await page.locator('[aria-posinset="5200"][aria-selected="true"]').waitFor();
    expect(await page.locator('[aria-posinset="5200"]').innerText()).toMatch(/^0\s+5199\s/);
    expect(await page.locator('.row').count()).toBeLessThan(60);
    await page.context().close();

    const all = await visit(browser, stage, '/topics/embedded/transactions?from=earliest');
    await all.getByRole('listbox').focus();
    await expect.poll(async () => { await all.keyboard.press('End'); return Number(await all.locator('.row').first().getAttribute('aria-setsize')); }, { timeout: 30_000 }).toBeGreaterThanOrEqual(10_000);
    // each step lands exactly, whatever the way
    for (const at of [5000, 9999, 1, 7777]) {
      await all.evaluate(`document.querySelector('[role=listbox]').scrollTop = ${(at - 1) * 32}`);
      await all.locator(`[aria-posinset="${at}"]`).waitFor();
      expect(await all.locator('.row').count()).toBeLessThan(60);
    }
    await all.context().close();
  });

  it('a tail keeps its last 10,000 rows, follows them, and stays where the reader has scrolled to', async () => {
    stage.scene = BUSY;
    const page = await visit(browser, stage, PAGES['output'] as string);
    await expect.poll(() => stage.tails).toBe(1);
    for (let n = 0; n < 22; n++) stage.tell(Array.from({ length: 500 }, (_, i) => BUSY.record('fraud-alerts', 0, n * 500 + i)));
    await page.locator('[aria-setsize="10000"]').first().waitFor();
    await page.getByText(/^0\s*10999\s/).or(page.locator('[aria-posinset="10000"]')).first().waitFor();
    expect(await page.locator('[aria-posinset="10000"]').innerText()).toMatch(/^0\s+10999\s/);
    await page.evaluate("document.querySelector('[role=listbox]').scrollTop = 3200");
    await page.locator('[aria-posinset="101"]').waitFor();
    await page.keyboard.press('f');
    await page.getByText('frozen').waitFor();
    stage.tell([BUSY.record('fraud-alerts', 0, 11_000)]);
    await page.getByText('1 came and are not shown').waitFor();
    expect(await page.evaluate("document.querySelector('[role=listbox]').scrollTop")).toBe(3200);
    await page.context().close();
  });

  it('600 seconds of news leave the heap and the page as they were', async () => {
    // the count of each second is on the page, so that all news are known to have been shown
    stage.scene = { ...BUSY, jobs: at => BUSY.jobs(at).map(j => ({ ...j, lag: (at / 1000) % 100_000 })) };
    for (const path of [PAGES['jobs'], PAGES['graph']] as string[]) {
      const page = await visit(browser, stage, path);
      const all: Held[] = [];
      for (let n = 0; n < 12; n++) {
        for (let i = 0; i < 50; i++) { stage.push(); if (i % 10 === 9) await page.getByText(((stage.at / 1000) % 100_000).toLocaleString('en-US')).first().waitFor(); }
        all.push(await held(page));
      }
      // compiled code comes and goes in pieces of many KB: the least of each half tells what stays
      const least = (of: readonly Held[]): number => Math.min(...of.map(h => h.bytes));
      expect(least(all.slice(6)) - least(all.slice(0, 6)), `bytes: ${all.map(h => h.bytes).join(', ')}`).toBeLessThan(500_000);
      const last = all.at(-1) as Held;
      for (const what of ['nodes', 'listeners'] as const) expect(Math.abs(last[what] - all[1]![what]), what).toBeLessThan(10);
      await page.context().close();
    }
  });
});
