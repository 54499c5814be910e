import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { complaints, launch, noBrowser } from './browser.ts';
import { BUSY, EMPTY, IDLE } from './scenes.ts';
import { Stage, TOKEN } from './stage.ts';
import { isThere, open, PAGES, visit } from './visit.ts';

describe.skipIf(noBrowser() !== null)('the dashboard in a browser', () => {
  let browser: Browser;
  let stage: Stage;
  beforeAll(async () => { [browser, stage] = [await launch(), await Stage.open(BUSY)]; });
  beforeEach(() => { stage.scene = BUSY; stage.changes.length = 0; });
  afterAll(async () => { await browser?.close(); await stage?.close(); });

  it('takes the token out of the address and lets nobody in without it', async () => {
    const page = await visit(browser, stage, '/jobs');
    expect(page.url()).toBe(`http://127.0.0.1:${stage.port}/#/jobs`);
    await page.reload();
    await page.getByRole('heading', { name: 'fraud', exact: true }).waitFor();
    await page.evaluate("sessionStorage.setItem('pipe-token', 'another')");
    await page.reload();
    await page.getByText('This token is not valid').waitFor();
    await page.evaluate('sessionStorage.clear()');
    await page.reload();
    await page.getByText('A token is missing').waitFor();
    // the address of a new start, pasted into the same tab
    await page.goto(`http://127.0.0.1:${stage.port}/#token=${TOKEN}`);
    await page.getByRole('heading', { name: 'fraud', exact: true }).waitFor();
    await page.context().close();
  });

  it('shows every page without a complaint of the browser, and nothing is wider than the screen', async () => {
    const wrong: string[] = [];
    for (const scene of [BUSY, EMPTY, IDLE]) {
      for (const width of [1440, 1000, 390]) {
        stage.scene = scene;
        const page = await visit(browser, stage, '/topics', { width });
        const said = complaints(page);
        for (const [id, path] of Object.entries(PAGES).filter(([, p]) => isThere(scene, p))) {
          await open(page, stage, path);
          const over = await page.evaluate('document.documentElement.scrollWidth - innerWidth') as number;
          if (over > 0) wrong.push(`${id} at ${width}: ${over} px too wide`);
        }
        wrong.push(...said);
        await page.context().close();
      }
    }
    expect(wrong).toEqual([]);
  });

  it('is used by keys alone', async () => {
    const page = await visit(browser, stage, '/jobs');
    const focused = (): Promise<string> => page.evaluate("document.activeElement.textContent || document.activeElement.getAttribute('aria-label')") as Promise<string>;
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the page');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('fraud-replay');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    expect(await focused()).toBe('fraud');
    // a list is one stop, also after news
    stage.push();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Shift+Tab');
    expect(await focused()).toBe('fraud');
    await page.keyboard.press('Enter');
    await page.locator('.node').first().waitFor();
    await page.locator('.tabs a').first().focus();
    await page.keyboard.press('Tab');
    expect(await focused()).toContain('transactions');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.locator('mark', { hasText: 'SUM(amount) > 5000.0' }).waitFor();
    await page.keyboard.type('gt');
    await page.getByRole('heading', { name: 'Topics' }).waitFor();
    await page.locator('[data-filter]').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('trans');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const rows = page.getByRole('listbox');
    await rows.waitFor();
    await rows.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.locator('[aria-posinset="2"][aria-selected="true"]').waitFor();
    await page.getByRole('complementary').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog').count()).toBe(0);
    expect(await page.evaluate("document.activeElement.getAttribute('role')")).toBe('listbox');
    await page.keyboard.type('gd');
    await page.getByRole('heading', { name: 'Dead letters' }).waitFor();
    await page.context().close();
  });

  it('says that pipe is gone, keeps what it showed, and goes on when pipe is back', async () => {
    const own = await Stage.open(BUSY);
    const page = await visit(browser, own, '/jobs');
    const port = own.port;
    await own.close();
    await page.getByText('pipe does not answer.').waitFor();
    await page.getByRole('heading', { name: 'fraud', exact: true }).waitFor();
    await own.listen(port);
    await page.getByText('pipe does not answer.').waitFor({ state: 'detached' });
    await own.close();
    await page.context().close();
  });

  it('follows the colours of the system until one is chosen, and keeps the choice', async () => {
    const page = await visit(browser, stage, '/jobs', { colors: 'dark' });
    const dark = (): Promise<boolean> => page.evaluate("getComputedStyle(document.body).backgroundColor === 'rgb(15, 18, 20)'") as Promise<boolean>;
    expect(await dark()).toBe(true);
    await page.getByRole('button', { name: 'Colours: auto' }).click();
    await page.getByRole('button', { name: 'Colours: light' }).waitFor();
    expect(await dark()).toBe(false);
    await page.reload();
    await page.getByRole('button', { name: 'Colours: light' }).waitFor();
    expect(await dark()).toBe(false);
    await page.context().close();
  });

  it('changes nothing where that is not allowed, and asks where it is', async () => {
    stage.scene = { ...BUSY, info: { ...BUSY.info, actions: false } };
    const reader = await visit(browser, stage, `${PAGES['graph']}`);
    await reader.getByText('read-only').waitFor();
    for (const path of ['graph', 'topic', 'dead']) {
      await open(reader, stage, PAGES[path] as string);
      expect(await reader.getByRole('button', { name: /^(Pause|Drain|Send a record|Replay)/ }).count()).toBe(0);
    }
    await reader.context().close();
    expect(stage.changes).toEqual([]);

    // from outside, a signal to a process is all that there is
    stage.scene = { ...BUSY, info: { ...BUSY.info, own: false } };
    const outside = await visit(browser, stage, PAGES['graph'] as string);
    await outside.getByRole('button', { name: 'Drain' }).click();
    await outside.getByText('one process runs them all').waitFor();
    await outside.context().close();

    stage.scene = BUSY;
    const page = await visit(browser, stage, PAGES['graph'] as string);
    await page.getByRole('button', { name: 'Drain' }).click();
    expect(await page.getByRole('dialog').textContent()).not.toContain('one process runs them all');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    expect(stage.changes).toEqual([]);
    await page.getByRole('button', { name: 'Drain' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
    await expect.poll(() => stage.changes).toEqual(['/api/v1/jobs/fraud@embedded/drain {}']);
    await page.goto(stage.link(PAGES['topic'] as string));
    await page.getByRole('button', { name: 'Send a record' }).click();
    await page.getByLabel('Value', { exact: true }).fill('{"account":1}');
    await page.getByLabel('Key (empty: none)').fill('1');
    await page.getByLabel('Headers').fill('a: b: c');
    await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click();
    await expect.poll(() => stage.changes[1]).toBe('/api/v1/topics/transactions/records {"key":"1","value":"{\\"account\\":1}","headers":[{"key":"a","value":"b: c"}],"partition":null,"log":"embedded"}');
    await page.goto(stage.link(PAGES['dead'] as string));
    await page.getByRole('button', { name: 'Replay all' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click();
    await page.getByText('11 records sent again').waitFor();
    expect(stage.changes[2]).toBe('/api/v1/dlq/fraud@embedded/replay {"code":"user.data.type"}');
    await page.context().close();
  });

  it('shows numbers with all their digits, bytes in hex, and copies a row as a test', async () => {
    stage.scene = { ...BUSY, record: (t, p, o) => ({ ...BUSY.record(t, p, o), value: '{"account":12345678901234567890,"total":1.50,"on":true}' }) };
    const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
    const page = await visit(context, stage, PAGES['output'] as string);
    await expect.poll(() => stage.tails).toBe(1);
    stage.tell([stage.scene.record('fraud-alerts', 0, 7)]);
    await page.locator('[aria-posinset="1"]').click();
    expect(await page.locator('.tree .number').allInnerTexts()).toEqual(expect.arrayContaining(['12345678901234567890', '1.50']));
    await page.getByRole('button', { name: 'Copy as test' }).click();
    await page.getByText('test copied').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe([
      'tests:', '  - name: "fraud-alerts gives the row of 0:7"', '    input:', '      "transactions": []   # the records that lead to it', '    expect:', '      "fraud-alerts":', '        - {account: 12345678901234567890, total: 1.50, "on": true}', '',
    ].join('\n'));
    await page.goto(stage.link('/dead/fraud@embedded/user.data.json'));
    await page.locator('[aria-posinset="1"]').click();
    await page.getByText('000000  7b 22 ff fe 00 41 42 0a 22 3a').waitFor();
    await context.close();
  });
});
