import { createRequire } from 'node:module';
import type Sqlite from 'better-sqlite3';
import { PipeError } from '../errors.ts';

/*
 * better-sqlite3 twice: 12 is compiled for the Node that installs it, and aborts on Node 24.19 and later when a statement is
 * collected (WiseLibs/better-sqlite3 1515); 13 comes compiled for every Node from 22 on, and npm leaves it out below.
 */
const FROM_NODE = 22;

function load(): typeof Sqlite {
  const require = createRequire(import.meta.url);
  if (Number.parseInt(process.versions.node, 10) >= FROM_NODE) {
    try {
      return require('better-sqlite3-napi') as typeof Sqlite;
    } catch (error) {
      if ((error as { readonly code?: string }).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return require('better-sqlite3') as typeof Sqlite;
}

/** Throws user.usage.native_module: the binary is loaded by the first database that is opened. */
function checked(Sqlite3: typeof Sqlite): typeof Sqlite {
  try {
    new Sqlite3(':memory:').close();
    return Sqlite3;
  } catch (cause) {
    const other = (cause as { readonly code?: string }).code === 'ERR_DLOPEN_FAILED';
    throw new PipeError('user.usage.native_module', other ? `better-sqlite3 was built for another Node than this one (${process.version})` : 'better-sqlite3 has no binary for this Node: its install script has not run', {
      cause, hint: other ? 'npm rebuild better-sqlite3, or npm ci with this Node' : 'npm rebuild better-sqlite3; where npm asks for it, package.json says "allowScripts": {"better-sqlite3": true}',
    });
  }
}

export const Database = checked(load());
