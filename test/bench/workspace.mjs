import { createWriteStream, mkdirSync, mkdtempSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PARTITIONS } from './generate.mjs';
import { measured } from './measure.mjs';

const here = name => fileURLToPath(new URL(name, import.meta.url));
export const CLI = here('../../dist/cli/main.js');

/** Everything of one bench lives in one folder, which is a project root of its own; beside the user's data, because /tmp may be memory. */
export function workspace() {
  mkdirSync(here('../../.pipe'), { recursive: true });
  const dir = mkdtempSync(here('../../.pipe/bench-'));
  mkdirSync(join(dir, 'pipelines'));
  return dir;
}

/** The records as lines; returns the mean bytes of one. */
export async function writeLines(file, records, line) {
  const out = createWriteStream(file);
  let bytes = 0;
  for (let at = 0; at < records; at += 10_000) {
    const lines = `${Array.from({ length: Math.min(10_000, records - at) }, (_, k) => line(at + k)).join('\n')}\n`;
    bytes += lines.length;
    if (!out.write(lines)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
  return bytes / records - 1;
}

/** A topic of these lines. */
export async function load({ log, topic, file, dir, partitions = PARTITIONS, key = 'account' }) {
  const more = ['--brokers', log, '--data-dir', join(dir, 'data')];
  await measured([CLI, 'topics', 'create', topic, '--partitions', String(partitions), ...more], { dir, cwd: dir });
  await measured([CLI, 'topics', 'send', topic, '--file', file, '--key-field', key, ...more], { dir, cwd: dir });
}
