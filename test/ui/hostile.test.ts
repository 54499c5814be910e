import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { complaints, launch, noBrowser } from './browser.ts';
import { PAYLOADS } from './payloads.ts';
import { BUSY, NOW, type Scene } from './scenes.ts';
import { Stage } from './stage.ts';
import { PAGES, visit } from './visit.ts';

/** Texts that choose what is shown instead of being shown. */
const KEPT = new Set(['state', 'kind', 'log', 'unfit', 'id', 'input', 'query', 'operator', 'key_base64', 'value_base64', 'parts', 'keys']);

/** The same thing with other texts; each place gets the next payload. */
function poison<T>(thing: T, next: () => string, name = ''): T {
  if (KEPT.has(name)) return name === 'log' && typeof thing === 'object' ? { ...thing, label: next() } : thing;
  if (typeof thing === 'string') return next() as T;
  if (Array.isArray(thing)) return thing.map(t => poison(t, next)) as T;
  if (typeof thing !== 'object' || thing === null) return thing;
  return Object.fromEntries(Object.entries(thing).map(([k, v]) => [k, poison(v, next, k)])) as T;
}

/** Of every text of a scene, and of JSON in records, too. */
function hostile(first: number): { readonly scene: Scene; readonly used: ReadonlySet<string>; readonly pipeline: string; readonly topic: string } {
  let at = first;
  const used = new Set<string>();
  const next = (): string => { const p = PAYLOADS[at++ % PAYLOADS.length] as string; used.add(p); return p; };
  const job = poison(BUSY.jobs(NOW)[0]!, next);
  const plan = poison(BUSY.plans['fraud']!, next);
  const topics = [{ ...BUSY.topics[0]!, name: next(), columns: [{ name: next(), type: 'STRING' }] }];
  const dressed = (text: string): string => JSON.stringify({ [next()]: text, inner: [{ [text]: next() }] });
  return {
    used, pipeline: job.pipeline, topic: topics[0]!.name,
    scene: {
      info: { ...poison(BUSY.info, next), logs: [{ id: 'embedded', kind: 'embedded', label: next(), error: next() }] },
      jobs: t => [{ ...job, at: t }, { ...job, at: t, pipeline: next(), state: 'failed', error: { code: next(), message: next() } }],
      plans: { [job.pipeline]: { ...plan, operators: BUSY.plans['fraud']!.operators.map(o => ({ ...o, does: [next(), next()], emits: next(), output: [next()] })) } },
      topics,
      record: (_, partition, offset) => ({ partition, offset, timestamp: NOW, key: next(), value: offset % 2 === 0 ? next() : dressed(next()), headers: [{ key: next(), value: next() }], size: 10, truncated: false }),
      states: [{ ...poison(BUSY.states[0]!, next), id: 'fraud@embedded' }],
      codes: [poison(BUSY.codes[0]!, next)],
      letters: () => BUSY.letters('user.data.type').map(l => poison(l, next)),
      config: poison(BUSY.config, next),
    },
  };
}

describe.skipIf(noBrowser() !== null)('text is never HTML', () => {
  let browser: Browser;
  let stage: Stage;
  beforeAll(async () => { [browser, stage] = [await launch(), await Stage.open(BUSY)]; });
  afterAll(async () => { await browser?.close(); await stage?.close(); });

  it(`${PAYLOADS.length} payloads as names, keys, values, headers, SQL, errors and settings: executed=0`, async () => {
    expect(PAYLOADS.length).toBeGreaterThanOrEqual(60);
    const seen = new Set<string>();
    let executed = 0;
    const foreign: string[] = [];
    const said: string[] = [];
    const strange: string[] = [];
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    await context.exposeFunction('alert', () => { executed++; });
    for (let first = 0; first < PAYLOADS.length; first += 12) {
      const { scene, used, pipeline, topic } = hostile(first);
      stage.scene = scene;
      for (const [id, path] of Object.entries(PAGES)) {
        if (id === 'steps') continue;
        const to = path.replace('fraud@embedded', `${encodeURIComponent(pipeline)}@embedded`).replace('embedded/transactions', `embedded/${encodeURIComponent(topic)}`);
        const page = await visit(context, stage, to);
        said.push(...complaints(page));
        page.on('request', r => { if (!r.url().startsWith(`http://127.0.0.1:${stage.port}/api/v1/`)) foreign.push(r.url()); });
        if (id === 'output' || id === 'live') {
          await expect.poll(() => stage.tails).toBeGreaterThan(0);
          stage.tell(Array.from({ length: 20 }, (_, i) => scene.record('', 0, i)));
          await page.locator('[aria-posinset="1"]').waitFor();
        }
        if (await page.locator('[role=option]').count() > 0) { await page.locator('[aria-posinset="1"]').click(); await page.locator('.detail').waitFor(); }
        if (id === 'state') await page.getByRole('button', { name: 'Run' }).click();
        if (id === 'graph') for (const n of await page.locator('.node').all()) await n.click();
        const shown = await page.evaluate('document.body.innerText') as string;
        for (const p of used) if (shown.includes(p.replace(/\s+/g, ' ')) || shown.includes(p)) seen.add(p);
        strange.push(...await page.evaluate(`[...document.querySelectorAll('*')].filter(e => /^(SCRIPT|IMG|IFRAME|OBJECT|EMBED|VIDEO|AUDIO|BASE|TEMPLATE)$/.test(e.tagName) && !(e.tagName === 'SCRIPT' && e.src.startsWith(location.origin)) || [...e.attributes].some(a => a.name.startsWith('on') || a.name === 'style' && /evil|alert/.test(a.value)) || /^(javascript|data|https?:..evil)/i.test(e.getAttribute('href') ?? '') && e.rel !== 'icon').map(e => e.outerHTML.slice(0, 200))`) as string[]);
        await page.close();
      }
    }
    expect({ executed, foreign, strange, said }).toEqual({ executed: 0, foreign: [], strange: [], said: [] });
    // the count counts: nearly all payloads were on a page as the text that they are, and alert is heard
    expect(PAYLOADS.filter(p => !seen.has(p) && !p.includes('\n') && !p.includes('\u0000'))).toEqual([]);
    const page = await visit(context, stage, '/topics');
    await page.evaluate('alert(1)');
    expect(executed).toBe(1);
    await context.close();
  }, 300_000);

  it('a script, a style or a handler that stands in the page itself is not run', async () => {
    stage.scene = BUSY;
    stage.html = t => t.replace('</body>', '<script>window.ran = "script"</script><p id="p" style="position: fixed" onclick="window.ran = \'handler\'">x</p><style>#p { display: none }</style></body>');
    try {
      const page = await visit(browser, stage, '/topics');
      await page.locator('#p').dispatchEvent('click');
      expect(await page.evaluate('[window.ran ?? null, getComputedStyle(p).position, getComputedStyle(p).display]')).toEqual([null, 'static', 'block']);
      await page.context().close();
    } finally { stage.html = t => t; }
  });
});
