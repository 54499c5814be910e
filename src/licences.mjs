import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Licences of the packages whose modules lie in `output`, what rolldown made; `within` are the folders of those that lie inside of a module of another one. */
export function licences(output, within = []) {
  const inside = output.flatMap(c => c.moduleIds).flatMap(id => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id.replaceAll('\\', '/'))?.[0] ?? []);
  return [...new Set([...inside, ...within])].sort().map(folder => {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find(f => /^licen[cs]e/i.test(f));
    if (file === undefined) throw new Error(`${name} has no licence file`);
    return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  });
}
