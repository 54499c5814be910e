import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderProblems, problemJson } from '../../src/cli/render-error.ts';
import { compilePipeline, sqlProblems } from '../../src/config/compile.ts';
import { readPipeline } from '../../src/config/load.ts';
import { PipeErrors } from '../../src/errors.ts';
import { Folder } from './support.ts';

const folder = new Folder();
const pipelines = resolve(import.meta.dirname, '../../pipelines');
const right = ['balances.yaml', 'fraud.yaml'].map(f => readFileSync(join(pipelines, f), 'utf8').replaceAll('    sample: data/transactions.jsonl\n', ''));
const pieces = [...new Set(right.flatMap(t => t.split(/(?<=[^\w])|(?=[^\w])/)))].concat(['&a ', '*a', '!x ', '${A}', '${', '|', '>', '>-', '"', "'", '{', '}', '[', ']', '? ', '- ', ': ', '\n', '\n\n', '  ', '\t', '\r', '\u0000', '\u2028', '😀', '---\n', '...\n', '%', '#', '<<: ', 'null', '~', '1e999', '0x1', '-', '\ufeff', '__proto__', '('.repeat(30)]);

/** Replaces, removes or inserts pieces. */
const mutated = fc.tuple(fc.constantFrom(...right), fc.array(fc.tuple(fc.nat(2000), fc.nat(30), fc.constantFrom('', ...pieces)), { minLength: 1, maxLength: 4 })).map(([text, edits]) =>
  edits.reduce((t, [at, length, piece], i) => { const p = at % (t.length + 1); return t.slice(0, p) + piece + t.slice(p + (i % 2 === 0 ? length : 0)); }, text));

describe('any text', () => {
  it('is read or refused with problems that have a place and can be shown', () => {
    let refused = 0;
    let passed = 0;
    fc.assert(fc.property(mutated, text => {
      const path = folder.write('p.yaml', text);
      const { spec, unknown, problems } = readPipeline(path, { env: {}, root: folder.dir });
      let all = problems;
      if (spec !== null && problems.length > 0) {
        all = [...problems, ...sqlProblems(spec, unknown)];
      } else if (spec !== null) {
        try {
          compilePipeline(spec);
          passed++;
        } catch (error) {
          if (!(error instanceof PipeErrors)) throw error;
          all = error.problems;
        }
      } else {
        expect(problems.length).toBeGreaterThan(0);
      }
      if (all.length > 0) refused++;
      for (const p of all) {
        const { source, start, end } = p.span ?? { source: { text: '' }, start: 0, end: 0 };
        expect(p.span === undefined).toBe(false);
        expect(start >= 0 && end >= start && end <= source.text.length).toBe(true);
        expect(JSON.stringify(problemJson(p))).not.toContain('null,"col"');
      }
      expect(renderProblems(all, { color: false })).not.toMatch(/undefined|\[object|NaN/);
    }), { numRuns: Number(process.env['PIPE_FUZZ_RUNS'] ?? 1500) });
    expect(refused).toBeGreaterThan(0);
    expect(passed).toBeGreaterThan(0);
  });
});
