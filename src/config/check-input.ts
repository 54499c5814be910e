import { recordsFrom } from '../engine/block.ts';
import type { DecodeColumn, Decoder } from '../formats/format.ts';
import { formats } from '../formats/index.ts';
import { TIMESTAMP_LTZ, typeName } from '../sql/types.ts';
import { closest } from '../suggest.ts';
import { valueSpan, type Reader } from './reader.ts';
import { show } from './shape.ts';
import type { ColumnSpec, SourceSpec } from './spec.ts';
import { testJson, testValue } from './test-value.ts';
import type { Entry, MapNode } from './tree.ts';

const BAD = 'a record like this would be a dead letter, no row';

/** Shorter names are near to many. */
const TELLING = 3;

/** Checks the records that tests send to one source: what the decoder of JSON would refuse, at its place. */
export class InputCheck {
  readonly #r: Reader;
  readonly #source: SourceSpec;
  readonly #decoders = new Map<string, Decoder>();
  /** Fields that are warned of already. */
  readonly #passed = new Set<string>();

  constructor(r: Reader, source: SourceSpec) {
    this.#r = r;
    this.#source = source;
  }

  record(record: MapNode): void {
    for (const e of record.entries) {
      const column = this.#source.columns.find(c => c.field.name === e.key);
      if (column === undefined) this.#unknown(e, record);
      else this.#value(e, column);
    }
  }

  /** Records may have fields that no column takes, but one that is nearly named as a column that the record lacks is a slip. */
  #unknown(e: Entry, record: MapNode): void {
    const { name, columns } = this.#source;
    const lacking = columns.map(c => c.field.name).filter(n => !record.entries.some(o => o.key === n));
    const near = closest(e.key, lacking);
    const hint = near === undefined ? undefined : `did you mean "${near}"?`;
    if (near !== undefined && near.length >= TELLING) {
      this.#r.problem('user.config.unknown_name', `source "${name}" has no column "${e.key}"`, { span: e.keySpan, label: 'no such column', hint });
    } else if (!this.#passed.has(e.key)) {
      this.#passed.add(e.key);
      this.#r.warn('user.config.unknown_name', `source "${name}" has no column "${e.key}": the field is ignored`, { span: e.keySpan, hint });
    }
  }

  #value(e: Entry, column: ColumnSpec): void {
    const { name, type } = column.field;
    const { eventTime } = this.#source;
    const value = testValue(e.value);
    if (value === null) return;
    const record = `{${JSON.stringify(name)}:${testJson(value)}}`;
    const problem = (message: string): void => this.#r.problem('user.config.bad_value', message, { span: valueSpan(e), hint: BAD });
    if (!this.#takes(name, { field: column.field, key: name, time: null, required: false }, record)) {
      problem(`"${name}" is ${typeName(type)}, which ${show(e.value)} is not`);
    } else if (eventTime !== null && eventTime.unit !== null && eventTime.from === name) {
      const time: DecodeColumn = { field: { name: eventTime.as, type: TIMESTAMP_LTZ, nullable: false }, key: name, time: eventTime.unit, required: true };
      if (!this.#takes(`${name} as time`, time, record)) problem(`"${name}" holds the event time (unit: ${eventTime.unit}), which ${show(e.value)} is not`);
    }
  }

  #takes(id: string, column: DecodeColumn, record: string): boolean {
    const decoder = this.#decoders.get(id) ?? formats.find('json')?.decoder?.([column], { topic: this.#source.topic, maxRecordBytes: Infinity, generated: false });
    if (decoder === undefined) return true;
    this.#decoders.set(id, decoder);
    let taken = true;
    decoder.decode(recordsFrom([{ key: null, value: record }]), 0, 1, () => { taken = false; });
    return taken;
  }
}
