import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, noBrowser } from './browser.ts';
import { BUSY, EMPTY, IDLE } from './scenes.ts';
import { Stage } from './stage.ts';
import { isThere, PAGES, visit } from './visit.ts';

const SCENES = { BUSY, EMPTY, IDLE };

/** What is wrong, with the elements: an empty list is a pass. */
async function violations(page: Page): Promise<string[]> {
  const { violations: found, passes } = await new AxeBuilder({ page }).analyze();
  expect(passes.some(p => p.id === 'color-contrast')).toBe(true);
  return found.flatMap(v => v.nodes.map(n => `${v.id}: ${n.target.join(' ')}: ${n.failureSummary ?? ''}`));
}

describe.skipIf(noBrowser() !== null)('pages for everybody (axe)', () => {
  let browser: Browser;
  let stage: Stage;
  beforeAll(async () => { [browser, stage] = [await launch(), await Stage.open(BUSY)]; });
  afterAll(async () => { await browser?.close(); await stage?.close(); });

  for (const colors of ['light', 'dark'] as const) {
    for (const [name, scene] of Object.entries(SCENES)) {
      // it has the colours of the busy one
      if (scene === IDLE && colors === 'dark') continue;
      it(`${name.toLowerCase()}, ${colors}: no violations on any page`, async () => {
        stage.scene = scene;
        const found: Record<string, string[]> = {};
        for (const [id, path] of Object.entries(PAGES).filter(([, p]) => isThere(scene, p))) {
          const page = await visit(browser, stage, path, { colors });
          if (await page.locator('[role=option]').count() > 0) await page.locator('[aria-posinset="1"]').click();
          found[id] = await violations(page);
          await page.context().close();
        }
        expect(Object.fromEntries(Object.entries(found).filter(([, v]) => v.length > 0))).toEqual({});
      });
    }

    it(`dialogs, narrow pages and the door, ${colors}: no violations`, async () => {
      stage.scene = BUSY;
      const page = await visit(browser, stage, '/topics/embedded/transactions', { width: 390, colors });
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Send a record' }).click();
      expect(await violations(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Keys and help' }).click();
      expect(await violations(page)).toEqual([]);
      await page.evaluate('sessionStorage.clear()');
      await page.goto(`http://127.0.0.1:${stage.port}/`);
      await page.getByText('A token is missing').waitFor();
      expect(await violations(page)).toEqual([]);
      await page.context().close();
    });
  }
});
