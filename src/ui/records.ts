import { isUtf8 } from 'node:buffer';
import type { RecordBatch } from '../engine/records.ts';
import type { TopicRecord } from './answers.ts';

/** Bytes of a key or value that are shown in a list, and of one record that is looked at alone. */
export const LIST_BYTES = 16 << 10;
export const ONE_BYTES = 2 << 20;

export function recordAnswer(b: RecordBatch, i: number, most: number): TopicRecord {
  const [keyFrom, keyTo, from, to] = [b.keyStart[i], b.keyEnd[i], b.valueStart[i], b.valueEnd[i]] as [number, number, number, number];
  const key = keyFrom < 0 ? null : b.data.subarray(keyFrom, keyTo);
  const value = from < 0 ? null : b.data.subarray(from, to);
  const headers = b.headers(i);
  return {
    partition: b.partition, offset: b.offsets[i] as number, timestamp: b.timestamps[i] as number, ...shown('key', key, most), ...shown('value', value, most),
    headers: headers.map(h => ({ key: h.key, ...shown('value', h.value, most) })),
    size: (key?.length ?? 0) + (value?.length ?? 0), truncated: [key, value, ...headers.map(h => h.value)].some(x => x !== null && x.length > most),
  };
}

type Shown<T extends string> = { readonly [K in T]: string | null } & { readonly [K in `${T}_base64`]?: string };

/** `{key: text}`, or `{key: null, key_base64: ..}`. */
export function shown<T extends string>(name: T, bytes: Uint8Array | null, most: number): Shown<T> {
  if (bytes === null) return { [name]: null } as Shown<T>;
  const text = textOf(bytes.length > most ? bytes.subarray(0, most) : bytes, bytes.length > most);
  if (text !== null) return { [name]: text } as Shown<T>;
  return { [name]: null, [`${name}_base64`]: Buffer.from(bytes.subarray(0, most)).toString('base64') } as Shown<T>;
}

/** null where it is no text. `cut`: its last character may be a part of one. */
function textOf(bytes: Uint8Array, cut: boolean): string | null {
  for (let less = 0; less < (cut ? 4 : 1); less++) {
    const head = bytes.subarray(0, bytes.length - less);
    if (isUtf8(head)) return Buffer.from(head.buffer, head.byteOffset, head.length).toString();
  }
  return null;
}
