import { gunzipSync } from 'node:zlib';
import type { Codec } from './codec.ts';

export const gzip: Codec = {
  name: 'gzip',
  decompress: (bytes, limit) => gunzipSync(bytes, { maxOutputLength: limit }),
};
