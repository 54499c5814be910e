import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Where a browser is; null: nowhere. */
const found: string | null = (process.env['PATH'] ?? '').split(delimiter).flatMap(folder => NAMES.map(n => join(folder, n))).find(existsSync) ?? null;

const MISSING = 'tests of the dashboard need a browser: install the Debian package chromium';

/** Why there is no test of the page here; null: there is a browser. With PIPE_REQUIRE_BROWSER its absence is an error. */
export function noBrowser(): string | null {
  if (found !== null) return null;
  if (process.env['PIPE_REQUIRE_BROWSER'] === '1') throw new Error(MISSING);
  process.stderr.write(`skipped: ${MISSING}\n`);
  return MISSING;
}

/** No sandbox of its own: containers and root do not have what it needs, and the pages are ours. */
export const launch = (...more: readonly string[]): Promise<Browser> => chromium.launch({ executablePath: found as string, args: ['--no-sandbox', '--disable-dev-shm-usage', ...more] });

/** What the browser says against a page: errors of scripts, and what its policy has blocked. */
export function complaints(page: Page): string[] {
  const said: string[] = [];
  page.on('pageerror', e => said.push(String(e)));
  page.on('console', m => { if (m.type() === 'error') said.push(m.text()); });
  return said;
}
