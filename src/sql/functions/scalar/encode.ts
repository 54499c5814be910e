import { createHash } from 'node:crypto';
import { RowError } from '../../../errors.ts';
import { BIGINT, INT, STRING, isInteger, type Wide } from '../../types.ts';
import type { ScalarDef } from '../define.ts';
import { simple, text, type Param } from '../overload.ts';

const hash = (name: string, algorithm: string, result: string): ScalarDef => simple({
  name, summary: `${algorithm.toUpperCase()} of the UTF-8 bytes, in hexadecimal.`, syntax: `${name.toUpperCase()}(text)`, params: [text], returns: STRING,
  fn: (s: string) => createHash(algorithm).update(s, 'utf8').digest('hex'), examples: [{ sql: `${name.toUpperCase()}('abc')`, result }],
});

function fromBase64(s: string): string {
  const bytes = Buffer.from(s, 'base64');
  const bare = (t: string): string => t.replace(/=/g, '');
  if (bare(bytes.toString('base64')) !== bare(s)) throw new RowError('user.data.cast', 'the text is no base 64');
  return bytes.toString('utf8');
}

const bigWhole: Param = { word: 'BIGINT', accept: t => (t.k === 'null' || isInteger(t) ? BIGINT : null) };

export const encodeFunctions: readonly ScalarDef[] = [
  hash('md5', 'md5', '900150983cd24fb0d6963f7d28e17f72'),
  hash('sha1', 'sha1', 'a9993e364706816aba3e25717850c26c9cd0d89d'),
  hash('sha224', 'sha224', '23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7'),
  hash('sha256', 'sha256', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'),
  hash('sha384', 'sha384', 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7'),
  hash('sha512', 'sha512', 'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f'),
  simple({ name: 'to_base64', summary: 'Base 64 of the UTF-8 bytes.', syntax: 'TO_BASE64(text)', params: [text], returns: STRING, fn: (s: string) => Buffer.from(s, 'utf8').toString('base64'), examples: [{ sql: "TO_BASE64('hello world')", result: 'aGVsbG8gd29ybGQ=' }] }),
  simple({ name: 'from_base64', summary: 'The text whose UTF-8 bytes are given in base 64.', syntax: 'FROM_BASE64(text)', params: [text], returns: STRING, fn: fromBase64, examples: [{ sql: "FROM_BASE64('aGVsbG8gd29ybGQ=')", result: 'hello world' }] }),
  simple({ name: 'ascii', summary: 'Code point of the first character; 0 for an empty text.', syntax: 'ASCII(text)', params: [text], returns: INT, fn: (s: string) => s.codePointAt(0) ?? 0, examples: [{ sql: "ASCII('abc')", result: '97' }, { sql: "ASCII('')", result: '0' }] }),
  simple({
    name: 'chr', summary: 'The character with a code of 0 to 255; larger codes count modulo 256.', syntax: 'CHR(code)', params: [bigWhole], returns: STRING,
    fn: (n: Wide) => (n < 0 ? '' : String.fromCharCode(Number(BigInt.asUintN(8, BigInt(n))))), examples: [{ sql: 'CHR(97)', result: 'a' }, { sql: 'CHR(353)', result: 'a' }],
  }),
];
