import { createRequire } from 'node:module';
import type Sqlite from 'better-sqlite3';

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

export const Database = load();
