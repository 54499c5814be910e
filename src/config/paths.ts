import { existsSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Reader } from './reader.ts';
import type { ScalarNode } from './tree.ts';
import { show } from './shape.ts';

export interface Folders {
  /** Absolute folder of the pipeline file. */
  readonly dir: string;
  /** Absolute project root. */
  readonly root: string;
}

/** Absolute path of a sample, inside the project. A file that is missing is a warning: it is only read to fill an absent topic. */
export function samplePath(r: Reader, node: ScalarNode, folders: Folders): string | null {
  const path = insidePath(r, node, folders);
  if (path !== null && !existsSync(path)) r.warn('user.config.path', `there is no file ${show(node)}`, { span: node.span, hint: 'the path is relative to this file' });
  return path;
}

/**
 * Absolute path of what a pipeline file names, with links resolved as far as it exists. It must stay under the project root, or
 * under the file's own folder when the file stands elsewhere: a file of somebody else cannot reach out.
 */
export function insidePath(r: Reader, node: ScalarNode, { dir, root }: Folders): string | null {
  const path = resolve(dir, node.text);
  const real = realPath(path);
  if ([root, dir].some(folder => isInside(real, realPath(folder)))) return path;
  r.problem('user.config.path', `${show(node)} leads out of the project`, { span: node.span, hint: 'a pipeline names files in its project only' });
  return null;
}

/** Links resolved in the part that exists. */
function realPath(path: string): string {
  if (path.includes('\0')) return path;
  try {
    return realpathSync(path);
  } catch {
    const up = dirname(path);
    return up === path ? path : join(realPath(up), path.slice(up.length));
  }
}

function isInside(path: string, folder: string): boolean {
  const rest = relative(folder, path);
  return !path.includes('\0') && rest !== '..' && !rest.startsWith('../') && !isAbsolute(rest);
}
