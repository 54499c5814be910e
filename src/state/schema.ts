import type { TableSpec } from './store.ts';

/** Panes of many groups, in pieces: see engine/pane-chunk.ts. `table_name` is that of the operator's table, which holds the panes of few. */
export const PACKED_SQL = `CREATE TABLE packed (table_name TEXT NOT NULL, window_end INTEGER NOT NULL, seq INTEGER NOT NULL, groups INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX packed_key ON packed (table_name, window_end, seq);`;

/** Rows of history that a backfill has made and that are still to be sent; those beyond `backlog` in `meta` belong to one that did not end. */
export const BACKLOG_SQL = 'CREATE TABLE backlog (id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, partition INTEGER NOT NULL, rows INTEGER NOT NULL, data BLOB NOT NULL);';

/**
 * Panes that have left memory: runs of partial groups, each in pieces by the hash of the keys (engine/spill-piece.ts). A piece holds
 * groups of the hash partitions [part, part + span) of 4096; runs of a window are merged in the order of `run`.
 */
export const SPILLED_SQL = `CREATE TABLE spilled (table_name TEXT NOT NULL, window_end INTEGER NOT NULL, window_start INTEGER NOT NULL, part INTEGER NOT NULL, span INTEGER NOT NULL,
  run INTEGER NOT NULL, groups INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX spilled_key ON spilled (table_name, window_end, part, run);`;

/** Layout 4 of a state file; 1 had no table `packed`, 2 no `backlog` and no plan in `meta`, 3 no `spilled`. Every table has typed, named columns: `sqlite3 file .schema` explains a pipeline's state. */
export const LAYOUT_SQL = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE positions (source TEXT NOT NULL, partition INTEGER NOT NULL, topic TEXT NOT NULL, topic_id TEXT NOT NULL,
  next_offset INTEGER NOT NULL, max_event_time INTEGER, PRIMARY KEY (source, partition)) WITHOUT ROWID;
CREATE TABLE watermarks (source TEXT PRIMARY KEY, watermark INTEGER) WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE operators (operator TEXT NOT NULL, name TEXT NOT NULL, value, PRIMARY KEY (operator, name)) WITHOUT ROWID;
CREATE TABLE dead_letters (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, code TEXT NOT NULL, message TEXT, place TEXT, source TEXT NOT NULL, operator TEXT,
  topic TEXT NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL, timestamp INTEGER, key BLOB, value BLOB, size INTEGER NOT NULL);
${PACKED_SQL}
${BACKLOG_SQL}
${SPILLED_SQL}
CREATE TABLE outbox (id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, rows INTEGER NOT NULL, data BLOB NOT NULL);
`;

/** Operators that are noted to have begun in the midst of their topic. */
export const PARTIAL_SQL = "SELECT operator FROM operators WHERE name = 'partial'";

/** A name in SQL. */
export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * DDL of an operator's table. A group key may be NULL, and NULLs are one group, so the unique index puts a value of another
 * type in the place of NULL; the column itself stays NULL for whoever reads it.
 */
export function tableSql(spec: TableSpec): readonly string[] {
  const columns = spec.columns.map(c => `${quote(c.name)} ${c.type}`).join(', ');
  const key = spec.columns.slice(0, spec.key).map(c => `ifnull(${quote(c.name)}, ${c.type === 'BLOB' ? "''" : "x''"})`).join(', ');
  return [`CREATE TABLE ${quote(tableName(spec))} (${columns})`, `CREATE UNIQUE INDEX ${quote(`${tableName(spec)}_key`)} ON ${quote(tableName(spec))} (${key})`];
}

export const tableName = (spec: TableSpec): string => `state_${spec.name}`;

/** Replaces `rows` rows of all columns. */
export const upsertSql = (spec: TableSpec, rows: number): string =>
  `INSERT OR REPLACE INTO ${quote(tableName(spec))} VALUES ${Array(rows).fill(`(${spec.columns.map(() => '?').join(',')})`).join(',')}`;

export const deleteSql = (spec: TableSpec, columns: number): string =>
  `DELETE FROM ${quote(tableName(spec))} WHERE ${columns === 0 ? 'TRUE' : spec.columns.slice(0, columns).map(c => `ifnull(${quote(c.name)}, ${c.type === 'BLOB' ? "''" : "x''"}) = ifnull(?, ${c.type === 'BLOB' ? "''" : "x''"})`).join(' AND ')}`;

export const scanSql = (spec: TableSpec): string =>
  `SELECT ${spec.columns.map(c => quote(c.name)).join(', ')} FROM ${quote(tableName(spec))} ORDER BY ${spec.columns.slice(0, spec.key).map(c => quote(c.name)).join(', ')}`;
