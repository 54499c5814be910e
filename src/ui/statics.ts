import { readdirSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.json': 'application/json; charset=utf-8', '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml', '.png': 'image/png', '.ico': 'image/x-icon', '.woff2': 'font/woff2',
};

/** A name that holds a hash of what it names: `app-3f9A_21x.js`. */
const HASHED = /[.-][\w-]{8,}\.\w+$/;

interface StaticFile {
  readonly bytes: Buffer;
  readonly zipped: Buffer | null;
  readonly type: string;
  readonly cache: string;
}

/** The files of the page, read once: a request names one of them or nothing, whatever path it gives. */
export class Statics {
  readonly #files = new Map<string, StaticFile>();

  /** `folder`: of the built page; without it there is none. */
  constructor(folder: string) {
    for (const name of filesIn(folder)) {
      const bytes = readFileSync(join(folder, name));
      const type = TYPES[extname(name)];
      if (type === undefined) continue;
      const zipped = /^(text|application)\/|svg/.test(type) ? gzipSync(bytes, { level: 9 }) : null;
      this.#files.set(`/${name.replaceAll('\\', '/')}`, { bytes, zipped, type, cache: HASHED.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache' });
    }
    const index = this.#files.get('/index.html');
    if (index !== undefined) this.#files.set('/', index);
  }

  /** Answers a GET; false where there is no such file. */
  serve(path: string, accepts: string, res: ServerResponse): boolean {
    const file = this.#files.get(path);
    if (file === undefined) return false;
    const zip = file.zipped !== null && /\bgzip\b/.test(accepts);
    const body = zip ? file.zipped : file.bytes;
    res.writeHead(200, {
      'Content-Type': file.type, 'Content-Length': body.length, 'Cache-Control': file.cache, ...(file.zipped === null ? {} : { Vary: 'Accept-Encoding' }), ...(zip ? { 'Content-Encoding': 'gzip' } : {}),
    });
    res.end(body);
    return true;
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).filter(f => f.isFile()).map(f => join(f.parentPath, f.name).slice(join(folder, '/').length));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
