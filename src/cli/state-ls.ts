import type { Command } from './command.ts';
import { grouped } from '../numbers.ts';
import { dataDir } from './places.ts';
import { stateFiles } from './state-files.ts';
import { columns, say } from './topics-log.ts';

export const stateLs: Command = {
  name: 'state ls',
  summary: 'lists the saved state of pipelines: its tables and their rows',
  usage: '[PIPELINE|FOLDER...]',
  examples: [
    ['pipe state ls', 'of every pipeline of this project and data folder'],
    ['pipe state ls balances.yaml', 'tables with their number of rows'],
    ['pipe state ls pipelines/ --json', 'as one JSON object a table'],
  ],
  flags: [],
  run: async (p, io) => {
    const [{ namedOrEvery }, { StateReader }, { readableTables }] = await Promise.all([import('./every-pipeline.ts'), import('../state/reader.ts'), import('../engine/state-tables.ts')]);
    const lines: string[][] = [['PIPELINE', 'LOG', 'TABLE', 'ROWS']];
    for (const c of (await namedOrEvery(p, io)).pipelines) {
      for (const { log, path } of stateFiles(p, io, c)) {
        const reader = new StateReader(path);
        try {
          for (const t of readableTables(reader, c.plan)) {
            let rows = t.plainRows();
            for (const _ of t.otherRows()) rows++;
            if (p.has('json')) io.out.write(`${JSON.stringify({ pipeline: c.spec.name, log, table: t.name, columns: t.columns, rows })}\n`);
            lines.push([c.spec.name, log, t.name, grouped(rows)]);
          }
        } finally {
          reader.close();
        }
      }
    }
    if (lines.length === 1) say(p, io, `no saved state in ${dataDir(p, io)}`);
    else if (!p.has('json')) io.out.write(columns(lines, 3));
    return 0;
  },
};
