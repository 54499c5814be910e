import { useState } from 'preact/hooks';
import { Value } from './json-tree.tsx';

const HEX_LIMIT = 16_384;

/** Bytes of a text, or of what came as base64 because it is none. */
function bytesOf(text: string | null, base64: string | undefined): Uint8Array {
  return base64 === undefined ? new TextEncoder().encode(text ?? '') : Uint8Array.from(atob(base64), c => c.charCodeAt(0));
}

/** Lines of 16 bytes: offset, hex, what of it is ASCII. */
function hex(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, HEX_LIMIT); at += 16) {
    const part = [...bytes.subarray(at, at + 16)];
    const digits = part.map(b => b.toString(16).padStart(2, '0')).join(' ');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${digits.padEnd(47)}  ${part.map(b => (b > 31 && b < 127 ? String.fromCharCode(b) : '.')).join('')}`);
  }
  if (bytes.length > HEX_LIMIT) lines.push(`and ${bytes.length - HEX_LIMIT} bytes more`);
  return lines.join('\n');
}

/** A key or a value: as a JSON tree, as text or in hex. */
export function Bytes({ text, base64, name }: { readonly text: string | null; readonly base64?: string | undefined; readonly name: string }) {
  const [asked, setAsked] = useState<'tree' | 'text' | 'hex' | null>(null);
  if (text === null && base64 === undefined) return <p class="dim">none</p>;
  const way = base64 === undefined ? asked ?? 'tree' : asked ?? 'hex';
  const ways = [['tree', 'JSON'], ['text', 'Text'], ['hex', 'Hex']] as const;
  const plain = text ?? new TextDecoder().decode(bytesOf(text, base64));
  return <div class="bytes">
    <div class="ways" role="group" aria-label={`Show ${name} as`}>{ways.map(([id, label]) => <button key={id} type="button" class="plain" aria-pressed={way === id} onClick={() => setAsked(id)}>{label}</button>)}</div>
    {way === 'hex' ? <pre class="hex" tabIndex={0}>{hex(bytesOf(text, base64))}</pre> : way === 'text' ? <pre class="raw" tabIndex={0}>{plain}</pre> : <Value text={plain} />}
  </div>;
}
