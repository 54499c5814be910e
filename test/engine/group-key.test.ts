import { expect, it } from 'vitest';
import { KeyWriter } from '../../src/engine/group-key.ts';

const bytes = (keys: number, write: (w: KeyWriter) => void): string => {
  const w = new KeyWriter(keys);
  w.begin();
  write(w);
  return w.bytes.toString('hex', 0, w.pos);
};

it('tells keys apart that look alike when they are put together', () => {
  expect(bytes(2, w => { w.text('a'); w.text('bc'); })).not.toBe(bytes(2, w => { w.text('ab'); w.text('c'); }));
  expect(bytes(2, w => { w.text(''); w.null(); })).not.toBe(bytes(2, w => { w.null(); w.text(''); }));
  expect(bytes(1, w => { w.null(); })).not.toBe(bytes(1, w => { w.text(''); }));
});

it('has one key for 0 and -0', () => {
  expect(bytes(1, w => { w.number(-0); })).toBe(bytes(1, w => { w.number(0); }));
  expect(bytes(1, w => { w.number(1); })).not.toBe(bytes(1, w => { w.number(0); }));
});
