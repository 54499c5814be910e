import { defineWindow } from './define.ts';

/** From the oldest window to the newest, so that rows of several windows come out in the order in which those close. */
export const hop = defineWindow({
  name: 'hop',
  summary: 'Windows of one size that start every slide; a row is in size / slide of them.',
  syntax: 'HOP(TABLE t, DESCRIPTOR(ts), slide, size)',
  args: ['slide', 'size'],
  check: ([slide, size]) =>
    (slide as number) <= 0 ? 'the slide must be greater than zero'
    : (size as number) <= 0 ? 'the size must be greater than zero'
    : (size as number) % (slide as number) !== 0 ? 'the size must be a multiple of the slide'
    : (size as number) / (slide as number) > 10_000 ? 'a row would be in more than 10,000 windows'
    : null,
  newest: (t, [slide, size]) => Math.floor(t / (slide as number)) * (slide as number) + (size as number),
  each: (t, [slide, size], body) => {
    const newest = Math.floor(t / (slide as number)) * (slide as number);
    for (let s = newest - (size as number) + (slide as number); s <= newest; s += slide as number) body(s, s + (size as number));
  },
  newestJs: (t, [slide, size]) => `Math.floor(${t} / ${slide}) * ${slide} + ${size}`,
  eachJs: (t, [slide, size], body) =>
    `for (let wn = Math.floor(${t} / ${slide}) * ${slide}, ws = wn - ${(size as number) - (slide as number)}; ws <= wn; ws += ${slide}) {\n${body('ws', `(ws + ${size})`)} }`,
});
