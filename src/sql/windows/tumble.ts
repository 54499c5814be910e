import { defineWindow } from './define.ts';

const end = (t: number, size: number): number => Math.floor(t / size) * size + size;

export const tumble = defineWindow({
  name: 'tumble',
  summary: 'Fixed windows that do not overlap.',
  syntax: 'TUMBLE(TABLE t, DESCRIPTOR(ts), size)',
  args: ['size'],
  check: ([size]) => ((size as number) > 0 ? null : 'the size must be greater than zero'),
  fixed: ([size]) => size as number,
  newest: (t, [size]) => end(t, size as number),
  each: (t, [size], body) => { const e = end(t, size as number); body(e - (size as number), e); },
  newestJs: (t, [size]) => `Math.floor(${t} / ${size}) * ${size} + ${size}`,
  eachJs: (t, [size], body) => `{ const ws = Math.floor(${t} / ${size}) * ${size};\n${body('ws', `(ws + ${size})`)} }`,
});
