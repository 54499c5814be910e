import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'pipe');

/** Folder of the jars of the broker and its tools; another name whenever pom.xml names others. */
export const jars = join(cache, 'kafka-4.1.0-tools');

/** True when Java 17 or newer is there. */
export function hasJava(): boolean {
  const r = spawnSync('java', ['-version'], { encoding: 'utf8' });
  const version = /version "(\d+)/.exec(r.stderr ?? '');
  return r.status === 0 && version !== null && Number(version[1]) >= 17;
}

/** Fetches the jars by Maven once; false where they are neither cached nor to be had. */
export function ensureJars(): boolean {
  if (existsSync(jars)) return true;
  if (spawnSync('mvn', ['-v'], { stdio: 'ignore' }).status !== 0) return false;
  mkdirSync(cache, { recursive: true });
  const tmp = mkdtempSync(join(cache, 'tmp-'));
  try {
    cpSync(join(import.meta.dirname, 'pom.xml'), join(tmp, 'pom.xml'));
    const r = spawnSync('mvn', ['-B', '-q', '-f', join(tmp, 'pom.xml'), 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${join(tmp, 'libs')}`], { encoding: 'utf8' });
    if (r.status !== 0) throw new Error(`mvn could not fetch the broker:\n${r.stdout.slice(-2000)}`);
    // a second process may have been faster
    if (!existsSync(jars)) renameSync(join(tmp, 'libs'), jars);
    return true;
  } finally {
    rmSync(tmp, { recursive: true, force: true });
  }
}
