/** 'ptop' in ASCII: PRAGMA application_id of an embedded log. */
export const APPLICATION_ID = 0x70746f70;
/** PRAGMA user_version: grows with every change of the layout. */
export const LAYOUT = 1;

/**
 * One row of `batches` is a block of engine/block.ts; its records have the offsets from `base` on and the time `at_ms`. The index
 * holds all that is asked without reading blocks. `retention_ms` NULL is the default, -1 for ever.
 * `deliveries` is to this log what the marker is to Kafka: which epoch of a pipeline is in, whose state it belongs to, who may write.
 */
export const LAYOUT_SQL = `
CREATE TABLE topics (topic INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, id TEXT NOT NULL, partitions INTEGER NOT NULL, retention_ms INTEGER, created_ms INTEGER NOT NULL) STRICT;
CREATE TABLE partitions (tp INTEGER PRIMARY KEY AUTOINCREMENT, topic INTEGER NOT NULL REFERENCES topics, partition INTEGER NOT NULL,
  first INTEGER NOT NULL DEFAULT 0, next INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, UNIQUE (topic, partition)) STRICT;
CREATE TABLE batches (tp INTEGER NOT NULL, base INTEGER NOT NULL, records INTEGER NOT NULL, at_ms INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX batches_by_base ON batches (tp, base, records, at_ms);
CREATE TABLE deliveries (producer TEXT PRIMARY KEY, epoch INTEGER NOT NULL, state_id TEXT NOT NULL, owner_id TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
`;
