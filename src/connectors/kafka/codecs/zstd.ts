import * as zlib from 'node:zlib';
import type { Codec } from './codec.ts';
import { tooLarge } from './damage.ts';
import { zstdFrames } from './zstd-frames.ts';

type Unzstd = (bytes: Buffer, o: { readonly maxOutputLength: number }) => Buffer;

/** By Node where it can (from 22.15 on), else by zstd's own decoder as WebAssembly. */
export const openZstd = async (): Promise<Codec> => nativeZstd() ?? wasmZstd();

/** Null where Node has none. */
export function nativeZstd(): Codec | null {
  const { zstdDecompressSync } = zlib as unknown as { readonly zstdDecompressSync?: Unzstd };
  if (zstdDecompressSync === undefined) return null;
  return {
    name: 'zstd',
    decompress(bytes, limit) {
      const parts: Buffer[] = [];
      let left = limit;
      // one by one: Node gives nothing of what follows the first
      for (const frame of zstdFrames(bytes, limit).frames) {
        const part = zstdDecompressSync(frame, { maxOutputLength: Math.max(left, 1) });
        left -= part.length;
        if (left < 0) throw tooLarge(limit);
        parts.push(part);
      }
      return parts.length === 1 ? parts[0] as Buffer : Buffer.concat(parts);
    },
  };
}

export async function wasmZstd(): Promise<Codec> {
  const { ZSTDDecoder } = await import('zstddec');
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return {
    name: 'zstd',
    decompress(bytes, limit) {
      const { bound } = zstdFrames(bytes, limit);
      // it takes 0 for unknown, and gives nothing where something is wrong
      if (bound === 0) return Buffer.alloc(0);
      const { buffer, byteOffset, length } = decoder.decode(bytes, bound);
      if (length === 0) throw new Error('its data are damaged');
      return Buffer.from(buffer, byteOffset, length);
    },
  };
}
