import type { Browser, BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import { KAFKA, NOW, type Scene } from './scenes.ts';
import type { Stage } from './stage.ts';

const JOB = '/jobs/fraud@embedded';

/** Every page, by its name. */
export const PAGES: Readonly<Record<string, string>> = {
  jobs: '/jobs', graph: `${JOB}/graph`, steps: `/jobs/orders@${KAFKA.id}/graph`, time: `${JOB}/time`, latency: `${JOB}/latency`, output: `${JOB}/output`,
  topics: '/topics', topic: '/topics/embedded/transactions', live: '/topics/embedded/transactions?from=live', state: '/state', dead: '/dead', config: '/config/fraud',
};

/** A page of its own session, with nothing that moves. */
export async function visit(from: Browser | BrowserContext, stage: Stage, path: string, o: { readonly width?: number; readonly colors?: 'light' | 'dark' } = {}): Promise<Page> {
  const width = o.width ?? 1440;
  const context = 'newContext' in from ? await from.newContext({ viewport: { width, height: width < 800 ? 844 : 900 }, colorScheme: o.colors ?? 'light', reducedMotion: 'reduce' }) : from;
  const page = await context.newPage();
  await page.clock.setFixedTime(NOW + 1500);
  await open(page, stage, path);
  return page;
}

/** Opens a page, to the end of what it loads. */
export async function open(page: Page, stage: Stage, path: string): Promise<void> {
  await page.goto(stage.link(path));
  await page.locator('h1').waitFor();
  await expect.poll(() => page.locator('.loading').count()).toBe(0);
}

/** Whether a page is there in a scene: jobs have pages only where there are jobs. */
export const isThere = (scene: Scene, path: string): boolean => !path.startsWith('/jobs/') || scene.jobs(NOW).some(j => path.startsWith(`/jobs/${j.pipeline}@${j.log.id}/`));
