import { expect, it } from 'vitest';
import { codes, exitCode } from '../../src/errors.ts';

/** Codes are words that users match on and exit codes what their scripts match on: both only grow. */
const exits: Readonly<Record<number, readonly string[]>> = {
  1: ['bug.unexpected'],
  2: ['user.usage.unknown_command', 'user.usage.unknown_flag', 'user.usage.bad_value', 'user.usage.missing_argument', 'user.usage.native_module', 'system.state.not_fresh', 'user.usage.not_found', 'user.usage.not_allowed', 'user.usage.read_only'],
  3: [
    'user.config.file_missing', 'user.config.yaml', 'user.config.unknown_key', 'user.config.missing_key', 'user.config.bad_value', 'user.config.bad_type', 'user.config.unset_variable', 'user.config.duplicate',
    'user.config.schema', 'user.config.event_time', 'user.config.unknown_name', 'user.config.path', 'user.config.sink_topic_twice', 'user.config.no_pipeline', 'user.config.too_large',
    'user.sql.syntax', 'user.sql.too_deep', 'user.sql.unsupported', 'user.sql.unknown_column', 'user.sql.ambiguous_column', 'user.sql.unknown_table', 'user.sql.unknown_function', 'user.sql.type',
    'user.sql.aggregate', 'user.sql.no_event_time', 'user.sql.window', 'user.sql.duplicate_column', 'user.sql.unbounded_aggregate', 'user.sql.literal', 'user.sql.name_case',
  ],
  10: ['system.source.unreachable'],
  11: ['system.source.auth', 'system.source.topic_missing', 'system.source.topic_recreated', 'system.source.topic_exists_otherwise', 'system.source.offset_lost', 'system.source.codec', 'system.source.corrupt_batch', 'system.source.client_version', 'system.sink.topic_missing'],
  12: ['system.sink.unreachable', 'system.sink.unknown_outcome', 'system.sink.too_large'],
  13: [
    'user.data.decode', 'user.data.type', 'user.data.missing', 'user.data.event_time', 'user.data.future_event', 'user.data.too_large', 'user.data.late', 'user.data.tombstone', 'user.data.row', 'user.data.overflow',
    'user.data.division_by_zero', 'user.data.cast', 'user.data.max_bad', 'user.data.time_unit', 'user.data.many_bad', 'user.data.output_too_large',
  ],
  20: ['system.sink.fenced'],
  21: ['system.state.locked'],
  23: ['system.run.drain_deadline'],
  30: ['system.resource.memory', 'system.resource.disk', 'system.resource.busy', 'system.resource.time_limit'],
  31: ['system.state.corrupt', 'system.state.foreign'],
  32: ['system.state.rolled_back'],
  33: ['system.state.incompatible', 'system.state.newer'],
};

it('every code has its exit code', () => {
  const found: Record<number, string[]> = {};
  for (const code of codes) (found[exitCode(code)] ??= []).push(code);
  expect(found).toEqual(Object.fromEntries(Object.entries(exits).map(([exit, all]) => [exit, [...all].sort((a, b) => codes.indexOf(a as (typeof codes)[number]) - codes.indexOf(b as (typeof codes)[number]))])));
});
