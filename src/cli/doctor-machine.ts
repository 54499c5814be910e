import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bytes } from '../numbers.ts';
import { failed, ok, problem, warning, type Check } from './doctor-check.ts';
import { ownPackage } from './own-package.ts';

const WARN_BYTES = 1 << 30;
const LEAST_BYTES = 100 << 20;
/** f_type of statfs on Linux. */
const TMPFS = 0x01021994;

/** `>=20.19` against 20.20.2. */
function fits(version: string, range: string): boolean {
  const parts = (text: string): number[] => text.replace(/^\D*/, '').split('.').map(Number);
  const [have, want] = [parts(version), parts(range)];
  const at = want.findIndex((n, i) => n !== (have[i] ?? 0));
  return at < 0 || (have[at] ?? 0) > (want[at] as number);
}

export function checkVersions(node: string): Check[] {
  const { version, engines } = ownPackage();
  const needs = engines.node;
  return [
    ok('pipe', `${version}, on ${process.platform} ${process.arch}`),
    fits(node, needs) ? ok('node', `${node} (pipe needs ${needs})`) : problem('node', 'user.usage.native_module', `${node} is too old: pipe needs ${needs}`, 'install a newer Node, then npm ci'),
  ];
}

/** The folder of topics and state; without it where it would be made. */
export async function checkFolder(data: string): Promise<Check[]> {
  const { tryFolder } = await import('../state/examine.ts');
  const { networkKind } = await import('../connectors/log/file.ts');
  const there = existsSync(data);
  const folder = there ? data : nearest(data);
  const way = 'give another folder: --data-dir or PIPE_DATA_DIR';
  if (!statSync(folder).isDirectory()) return [problem('data folder', 'system.resource.disk', `${folder} is a file`, way)];
  try {
    const sqlite = tryFolder(folder);
    const kind = networkKind(folder);
    const file = kind !== null ? problem('file system', 'user.config.path', `${folder} is on a network file system (${kind}), where several processes would damage each other's data`, way)
      : process.platform === 'linux' && statfsSync(folder).type >>> 0 === TMPFS ? warning('file system', `${folder} is in memory (tmpfs): topics and state are gone after a restart of the machine`, way)
      : ok('file system', `SQLite ${sqlite} works in ${there ? 'it' : folder}, write-ahead log and all`);
    return [ok('data folder', there ? data : `${data} is not there yet; the first run makes it`), file, ...(there ? checkRights(data) : []), checkRoom(folder)];
  } catch (error) {
    return [problem('data folder', 'system.resource.disk', `${folder} cannot be used: ${(error as Error).message}`, `make room, or let this user write there; or ${way}`)];
  }
}

/** Only its owner has to do with what lies there. */
function checkRights(data: string): Check[] {
  const open = [data, ...[data, join(data, 'state')].flatMap(dir => (existsSync(dir) ? readdirSync(dir).filter(f => /\.db(-wal|-shm)?$/.test(f)).map(f => join(dir, f)) : []))].filter(path => (statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o077);
  const [first] = open;
  if (first === undefined) return [ok('rights', 'only this user can read topics and state')];
  return [warning('rights', `other users may have a look at ${open.length === 1 ? first : `${open.length} files, such as ${first}`}`, `chmod -R go= ${data}`)];
}

function checkRoom(folder: string): Check {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const text = `${bytes(free)} free at ${folder}`;
  if (free < LEAST_BYTES) return problem('disk', 'system.resource.disk', text, 'make room: a full disk stops a run (nothing is lost)');
  return free < WARN_BYTES ? warning('disk', text, 'make room: a full disk stops a run (nothing is lost)') : ok('disk', text);
}

function nearest(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearest(dirname(path));
}

/** Null where better-sqlite3 works. */
export async function checkNative(): Promise<Check | null> {
  try {
    await import('../state/database.ts');
    return null;
  } catch (error) {
    return failed('better-sqlite3', error);
  }
}
