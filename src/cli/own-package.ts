import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the package that is running, with `/` at its end. */
const home = fileURLToPath(new URL('../../', import.meta.url));

export interface OwnPackage {
  readonly name: string;
  readonly version: string;
  /** `>=20.19`. */
  readonly engines: { readonly node: string };
}

export const ownPackage = (): OwnPackage => JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as OwnPackage;

/** A file that comes with the package. */
export const packageFile = (name: string): Buffer => readFileSync(join(home, name));

/**
 * What a package.json in `dir` says to get this very package: its version with ^, or, where it came from a file or from git, that.
 * `from`: folder of the package.
 */
export function dependencyOn(dir: string, version: string, from = home): string {
  const folder = resolve(from);
  const file = (path: string): string => `file:${relative(dir, path).split(sep).join('/')}`;
  // a checkout, or a package that npm has linked
  if (basename(dirname(folder)) !== 'node_modules') return file(folder);
  const root = dirname(dirname(folder));
  const resolved = lockedAs(root, `node_modules/${basename(folder)}`);
  if (resolved?.startsWith('file:') === true) return file(resolve(root, resolved.slice('file:'.length)));
  return resolved?.startsWith('git') === true ? resolved : `^${version}`;
}

/** Where npm got a package of `root` from, as it has noted. */
function lockedAs(root: string, path: string): string | undefined {
  const lock = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(lock)) return undefined;
  try {
    return (JSON.parse(readFileSync(lock, 'utf8')) as { readonly packages?: Readonly<Record<string, { readonly resolved?: string }>> }).packages?.[path]?.resolved;
  } catch {
    return undefined;
  }
}
