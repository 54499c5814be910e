import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Statics } from '../../src/ui/statics.ts';

let folder: string;
let server: Server;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'pipe-page-')); });
afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** The files of `folder` from a server of their own. */
async function served(): Promise<string> {
  const statics = new Statics(join(folder, 'page'));
  server = createServer((req, res) => { if (!statics.serve(req.url as string, String(req.headers['accept-encoding'] ?? ''), res)) res.writeHead(404).end(); });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

it('gives the files of the page, hashed ones to be kept, zipped for who takes that, and nothing else', async () => {
  mkdirSync(join(folder, 'page/assets'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(folder, 'page/index.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(folder, 'page/assets/app-3f9Ax21b.js'), 'let x = 1;'.repeat(100));
  writeFileSync(join(folder, 'page/notes.exe'), 'no type');
  const at = await served();
  const index = await fetch(`${at}/`);
  expect([index.headers.get('content-type'), index.headers.get('cache-control'), await index.text()]).toEqual(['text/html; charset=utf-8', 'no-cache', '<!doctype html><title>page</title>']);
  const script = await fetch(`${at}/assets/app-3f9Ax21b.js`, { headers: { 'Accept-Encoding': 'identity' } });
  expect([script.headers.get('content-type'), script.headers.get('cache-control'), (await script.text()).length]).toEqual(['text/javascript; charset=utf-8', 'public, max-age=31536000, immutable', 1000]);
  const zipped = new Statics(join(folder, 'page'));
  const chunks: Buffer[] = [];
  const head: Record<string, unknown> = {};
  zipped.serve('/assets/app-3f9Ax21b.js', 'br, gzip', { writeHead: (_: number, h: object) => Object.assign(head, h), end: (b: Buffer) => chunks.push(b) } as never);
  expect([head['Content-Encoding'], head['Vary'], gunzipSync(Buffer.concat(chunks)).length]).toEqual(['gzip', 'Accept-Encoding', 1000]);
  for (const path of ['/notes.exe', '/assets', '/assets/', '/..%2fsecret.txt', '/%2e%2e/secret.txt', '/index.html%00']) expect((await fetch(at + path)).status).toBe(404);
});

it('has nothing where the page was not built', async () => {
  expect((await fetch(`${await served()}/`)).status).toBe(404);
});
