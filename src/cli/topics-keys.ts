import type { Header } from '../engine/records.ts';
import { JsonField } from '../connectors/log/json-field.ts';
import type { NewRecord } from '../connectors/connector.ts';
import { PipeError } from '../errors.ts';
import type { Parsed } from './command.ts';
import { atMostOne } from './topics-log.ts';

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '0': '\0', '\\': '\\' };

/** Makes a record of a line, or none of a blank line that can hold no key: `line` counts from 1, for messages. Throws user.data.decode. */
export type ToRecord = (text: Buffer, line: number) => NewRecord | null;

/** What `--key`, `--key-field`, `--key-sep` and `--header` say. Throws user.usage.bad_value. */
export function toRecord(p: Parsed, partition: number | null): ToRecord {
  atMostOne(p, ['key', 'key-field', 'key-sep']);
  const headers = p.texts('header').map(header);
  const record = (key: Buffer | null, value: Buffer): NewRecord => ({ key, value, headers, partition, timestamp: null });
  const sep = p.text('key-sep');
  if (sep !== undefined) return separated(sep, record);
  const name = p.text('key-field');
  if (name !== undefined) {
    const field = new JsonField(name);
    return (value, line) => {
      const text = field.text(value);
      if (text === undefined && value.toString('latin1').trim() === '') return null;
      if (text === undefined) throw new PipeError('user.data.decode', `line ${line} is no JSON object, so it has no field "${name}" for the key`, { hint: 'leave --key-field out to send lines as they are' });
      return record(text === null ? null : Buffer.from(text), value);
    };
  }
  const key = p.text('key');
  const bytes = key === undefined ? null : Buffer.from(key);
  return value => record(bytes, value);
}

function separated(text: string, record: (key: Buffer | null, value: Buffer) => NewRecord): ToRecord {
  const sep = Buffer.from(text.replace(/\\(.)/g, (all, c: string) => ESCAPES[c] ?? all));
  if (sep.length === 0) throw new PipeError('user.usage.bad_value', '--key-sep takes the text between key and value, such as \'\\t\'');
  return (bytes, line) => {
    const at = bytes.indexOf(sep);
    if (at < 0) throw new PipeError('user.data.decode', `line ${line} has no ${JSON.stringify(sep.toString())} between key and value`, { hint: 'leave --key-sep out to send lines without a key' });
    return record(bytes.subarray(0, at), bytes.subarray(at + sep.length));
  };
}

function header(text: string): Header {
  const at = text.indexOf('=');
  if (at < 1) throw new PipeError('user.usage.bad_value', `--header takes KEY=VALUE, not "${text}"`);
  return { key: text.slice(0, at), value: Buffer.from(text.slice(at + 1)) };
}
