/** What a code of dead letters means, and what can be done. */
export interface CodeMeaning {
  readonly means: string;
  readonly hint: string;
}

const SENDER = 'mend whoever sends such records; what is sent again by dlq replay is the same bytes';

const meanings: Readonly<Record<string, CodeMeaning>> = {
  'user.data.decode': { means: 'the value is not what the format of the source says', hint: SENDER },
  'user.data.type': { means: 'a field does not fit the type of its column', hint: 'give the column in `schema` a type that takes it, such as STRING, then dlq replay; or mend the sender' },
  'user.data.missing': { means: 'a field is missing or null whose column is NOT NULL', hint: 'take NOT NULL from the column in `schema`, then dlq replay; or mend the sender' },
  'user.data.event_time': { means: 'the record has no event time', hint: 'look at event_time of the source: `from` and `unit`; then dlq replay' },
  'user.data.future_event': { means: 'the event time is further ahead of the record than max_future', hint: 'where values are in another unit, mend event_time.unit; a clock that runs ahead needs a larger max_future; then dlq replay' },
  'user.data.too_large': { means: 'the record is larger than settings.max_record_bytes', hint: 'raise settings.max_record_bytes and start again with --reset-state: what is kept of it is cut at 1 MB' },
  'user.data.late': { means: 'all windows of the row were closed when it came', hint: 'a larger event_time.delay waits longer from now on; a replay is late again unless the pipeline starts anew (--reset-state)' },
  'user.data.tombstone': { means: 'the record has no value, only a key', hint: 'streams have no deletions: nothing is lost' },
  'user.data.row': { means: 'an expression failed on this row', hint: 'mend the SQL at its place, then dlq replay' },
  'user.data.overflow': { means: 'a result does not fit its type', hint: 'CAST to a wider type at its place, then dlq replay' },
  'user.data.division_by_zero': { means: 'a division by zero', hint: 'guard the divisor, as in x / NULLIF(y, 0), then dlq replay' },
  'user.data.cast': { means: 'a CAST that the value does not fit', hint: 'TRY_CAST gives NULL instead; then dlq replay' },
  'user.data.output_too_large': { means: 'the row is larger than a record that can be sent', hint: 'let the SELECT list give less' },
};

/** Codes that dead letters are kept with. */
export const letterCodes: readonly string[] = Object.keys(meanings);

/** A code is data where it stands in a topic, so it may be whatever text. */
export const meaningOf = (code: string): CodeMeaning | null => (Object.hasOwn(meanings, code) ? meanings[code] as CodeMeaning : null);
