import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findPipelines } from '../../src/config/find.ts';
import { schema } from '../../src/cli/schema.ts';
import { parseCommandLine } from '../../src/cli/args.ts';
import { pipelineSchema } from '../../src/config/schema.ts';
import { fakeIo } from '../cli/fake-io.ts';
import { Folder } from './support.ts';

const folder = new Folder();

describe('names of pipelines', () => {
  const find = (args: readonly string[], cwd = '.'): { files: string[]; problems: string[] } => {
    const { files, problems } = findPipelines(args, { cwd: join(folder.dir, cwd), root: folder.dir });
    return { files: files.map(f => f.slice(folder.dir.length + 1)), problems: problems.map(p => `${p.code.replace('user.config.', '')}: ${p.message} (${p.hint ?? ''})`) };
  };
  const fill = (): void => {
    for (const f of ['pipelines/fraud.yaml', 'pipelines/balances.yaml', 'pipelines/.hidden.yaml', 'pipelines/notes.md', 'pipelines/old/older.yaml', 'pipelines/dir.yaml/x', 'sub/fraud.yaml', 'sub/mine.yml', 'empty/x.txt']) folder.write(f, '');
  };

  it('are a path, else one in pipelines/, with or without .yaml', () => {
    fill();
    expect(find(['fraud']).files).toEqual(['pipelines/fraud.yaml']);
    expect(find(['fraud.yaml']).files).toEqual(['pipelines/fraud.yaml']);
    expect(find(['fraud.yaml'], 'sub').files).toEqual(['sub/fraud.yaml']);
    expect(find(['fraud'], 'sub').files).toEqual(['pipelines/fraud.yaml']);
    expect(find(['mine.yml'], 'sub').files).toEqual(['sub/mine.yml']);
    expect(find(['old/older']).files).toEqual(['pipelines/old/older.yaml']);
    expect(find([join(folder.dir, 'sub/fraud.yaml')]).files).toEqual(['sub/fraud.yaml']);
  });

  it('that are a folder stand for its *.yaml, not deeper, each file once', () => {
    fill();
    expect(find(['pipelines']).files).toEqual(['pipelines/balances.yaml', 'pipelines/fraud.yaml']);
    expect(find(['fraud', 'pipelines/', 'balances.yaml']).files).toEqual(['pipelines/fraud.yaml', 'pipelines/balances.yaml']);
    expect(find(['old']).files).toEqual(['pipelines/old/older.yaml']);
  });

  it('are not the YAML files of something else, where the folder holds pipelines/', () => {
    fill();
    expect(find(['.']).problems).toEqual(['no_pipeline: folder . holds no *.yaml (the pipelines are in pipelines/: pipe run pipelines/)']);
    folder.write('compose.yaml', 'name: broker\nservices: {}\n');
    expect(find(['.'])).toEqual({ files: [], problems: ['no_pipeline: folder . holds no pipeline, only compose.yaml (the pipelines are in pipelines/: pipe run pipelines/)'] });
    folder.write('mine.yaml', 'name: mine\nsources: {}\n');
    expect(find(['.'])).toEqual({ files: ['compose.yaml', 'mine.yaml'], problems: [] });
  });

  it('that are wrong have a hint, all of them', () => {
    fill();
    expect(find(['frad', 'sub/frod.yaml', 'zzz', 'empty', '']).problems).toEqual([
      'file_missing: there is no pipeline "frad"; looked for frad, pipelines/frad, pipelines/frad.yaml (did you mean "fraud"?)',
      'file_missing: there is no pipeline "sub/frod.yaml"; looked for sub/frod.yaml, pipelines/sub/frod.yaml (did you mean "sub/fraud.yaml"?)',
      'file_missing: there is no pipeline "zzz"; looked for zzz, pipelines/zzz, pipelines/zzz.yaml (pipelines here: balances, fraud)', 'no_pipeline: folder empty holds no *.yaml (pipelines here: balances, fraud)',
      'file_missing: there is no pipeline "" (pipelines here: balances, fraud)',
    ]);
    expect(find(['frad'], 'pipelines').problems[0]).toContain('"frad"; looked for frad, frad.yaml (');
    expect(find([]).problems).toEqual(['user.usage.missing_argument: no pipeline is named (pipelines here: balances, fraud)']);
  });
});

describe('pipe schema', () => {
  it('prints the schema', async () => {
    const io = fakeIo();
    expect(await schema.run(parseCommandLine(schema, []), io)).toBe(0);
    expect(JSON.parse(io.out.text)).toEqual(pipelineSchema);
  });

  it('describes every property', () => {
    const bare: string[] = [];
    const visit = (at: unknown, path: string): void => {
      if (typeof at !== 'object' || at === null) return;
      for (const [key, value] of Object.entries((at as { properties?: object }).properties ?? {})) {
        const s = value as { description?: string; $ref?: string };
        if (s.description === undefined && s.$ref === undefined) bare.push(`${path}.${key}`);
      }
      for (const [key, value] of Object.entries(at)) visit(value, `${path}.${key}`);
    };
    visit(pipelineSchema, '');
    expect(bare).toEqual([]);
  });
});
