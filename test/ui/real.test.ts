import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Project } from '../e2e/project.ts';
import { complaints, launch, noBrowser } from './browser.ts';

describe.skipIf(noBrowser() !== null)('the dashboard of a run of the built command in dist/', () => {
  let browser: Browser;
  const project = new Project();
  beforeAll(async () => { browser = await launch(); });
  afterAll(async () => { await browser?.close(); project.remove(); });

  it('shows both shipped pipelines at work, a record that is sent to them and refused, and drains them', async () => {
    const run = project.start(['run', 'pipelines/', '--follow', '--ui', '0', '--allow-actions']);
    const address = /http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]+/;
    await run.until(r => address.test(r.err));
    const [link] = address.exec(run.err) as RegExpExecArray;
    const base = link.slice(0, link.indexOf('#'));
    const page = await browser.newPage();
    const said = complaints(page);
    await page.goto(link);
    for (const name of ['balances', 'fraud']) {
      const job = page.locator('.job', { has: page.getByRole('heading', { name, exact: true }) });
      await job.getByText('running').waitFor();
      await job.getByText('1,000 in this run').waitFor();
    }

    await page.goto(`${base}#/topics/embedded/transactions?from=live`);
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Send a record' }).click();
    await page.getByLabel('Value', { exact: true }).fill('{"account":"<b>ACC-7</b>","amount":1,"timestamp":"1704110400","type":"deposit"}');
    await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click();
    await page.locator('[aria-posinset="1"]').click();
    await page.locator('.tree .string').first().waitFor();
    expect(await page.locator('.tree .string').first().innerText()).toBe('"<b>ACC-7</b>"');

    // `account` is a number there: it is a dead letter of fraud, and a row of balances
    await page.goto(`${base}#/dead/fraud@embedded`);
    await page.locator('[aria-posinset="1"]').click();
    await page.getByRole('complementary').getByText('"<b>ACC-7</b>" is not BIGINT').waitFor();

    await page.goto(`${base}#/topics/embedded/transactions?from=earliest&filter=amount%20%3D%202500`);
    await page.locator('[aria-posinset="1"]').click();
    expect(await page.locator('.tree .number').allInnerTexts()).toContain('2500');
    await page.goto(`${base}#/jobs/fraud@embedded/graph`);
    await page.locator('mark').first().waitFor();
    await page.goto(`${base}#/state/balances@embedded`);
    await page.getByRole('button', { name: 'Run' }).click();
    await page.locator('.result').waitFor();
    await page.goto(`${base}#/config/fraud`);
    await page.getByText('"exactly-once"').waitFor();

    for (const name of ['balances', 'fraud']) {
      await page.goto(`${base}#/jobs/${name}@embedded/time`);
      await page.getByRole('button', { name: 'Drain' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
      if (name === 'balances') await page.getByText('It is done').waitFor();
    }
    expect((await run.finished).code).toBe(0);
    await page.getByText('pipe does not answer.').waitFor();
    expect(said.filter(s => !s.includes('ERR_CONNECTION_REFUSED') && !s.includes('ERR_INCOMPLETE_CHUNKED_ENCODING') && !s.includes('ERR_CONNECTION_RESET'))).toEqual([]);
  });
});
