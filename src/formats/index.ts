import { PipeError } from '../errors.ts';
import { Registry } from '../registry.ts';
import type { FormatDef } from './format.ts';
import { PlainDecoder } from './json/decode.ts';
import { scanDecoder } from './json/fast/decoder.ts';
import { JsonEncoder } from './json/encode.ts';

const json: FormatDef = {
  name: 'json',
  summary: 'one JSON object a record',
  decoder: (columns, options) => (options.generated ? scanDecoder(columns, options.maxRecordBytes) : null) ?? new PlainDecoder(columns, options.maxRecordBytes),
  encoder: (schema, options) => new JsonEncoder(schema, options),
};

export const formats: Registry<FormatDef> = new Registry('format', [json]);

/** Known formats that this version cannot read or write. */
const later: ReadonlySet<string> = new Set(['csv', 'avro', 'debezium', 'raw']);

/** Throws user.config.bad_value; the caller adds the place. */
export function findFormat(name: string): FormatDef {
  const found = formats.find(name);
  if (found !== undefined) return found;
  const why = later.has(name.toLowerCase()) ? `not supported yet: format ${name}` : `there is no format "${name}"`;
  throw new PipeError('user.config.bad_value', why, { hint: `formats: ${[...formats.names()].join(', ')}` });
}
