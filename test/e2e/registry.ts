import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { root } from './project.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
}

/**
 * An npm registry on loopback with pipe as `npm pack` packs it and, built as they lie in node_modules, the packages that it needs:
 * the real npm and npx install from it without a network.
 */
export class Registry {
  readonly #server: Server;
  readonly #dir: string;
  /** Newest last. */
  readonly #manifests = new Map<string, Manifest[]>();
  /** The packed pipe. */
  readonly tarball: string;

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
    const [packed] = JSON.parse(execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', dir], { cwd: root, encoding: 'utf8' })) as [{ filename: string }];
    this.tarball = join(dir, packed.filename);
    this.#add(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest);
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Readonly<Record<string, { readonly dev?: boolean }>> };
    for (const [path, { dev }] of Object.entries(packages)) {
      const file = join(root, path, 'package.json');
      if (path === '' || dev === true || !existsSync(file)) continue;
      const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
      this.#add(manifest);
      // a tar of the folder as it is: npm pack would leave out what was compiled, and npm install leaves out links
      execFileSync('tar', ['--hard-dereference', '-I', 'gzip -1', '-cf', join(dir, fileName(manifest)), '-C', join(root, path), '--transform', 's,^\\.,package,', '.']);
    }
    this.#server = createServer((request, response) => {
      const path = decodeURIComponent(request.url ?? '').slice(1);
      if (path.endsWith('.tgz') && existsSync(join(dir, path))) return response.end(readFileSync(join(dir, path)));
      const found = this.#manifests.get(path);
      if (found === undefined) return response.writeHead(404).end('{}');
      return response.end(JSON.stringify({
        name: path, 'dist-tags': { latest: found.at(-1)?.version },
        versions: Object.fromEntries(found.map(m => [m.version, { ...m, dist: { tarball: `${this.url}${fileName(m)}` } }])),
      }));
    });
  }

  get url(): string { return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`; }

  async open(): Promise<void> { await new Promise<void>(done => this.#server.listen(0, '127.0.0.1', done)); }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** What npm and npx need to know to use it and nothing of this machine. Scripts do not run: everything is compiled already. */
  environment(): NodeJS.ProcessEnv {
    const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|PIPE_)/i.test(name)));
    return {
      ...clean, NO_COLOR: '1', npm_config_registry: this.url, npm_config_cache: join(this.#dir, 'cache'), npm_config_userconfig: join(this.#dir, 'npmrc'), npm_config_ignore_scripts: 'true',
      npm_config_update_notifier: 'false', npm_config_fetch_retries: '0', npm_config_audit: 'false',
    };
  }

  #add(m: Manifest): void { this.#manifests.set(m.name, [...(this.#manifests.get(m.name) ?? []), m]); }
}

const fileName = ({ name, version }: Manifest): string => `${name.replace(/^@[^/]*\//, '')}-${version}.tgz`;
