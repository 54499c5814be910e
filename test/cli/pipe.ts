import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commands } from '../../src/cli/commands.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { PipeError, PipeErrors } from '../../src/errors.ts';
import { Database } from '../../src/state/database.ts';
import { fakeIo } from './fake-io.ts';

export interface Called {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  /** stdout as JSON lines. */
  readonly json: Record<string, unknown>[];
  /** What it threw, or null. */
  readonly problem: PipeError | null;
}

export interface CallOptions {
  readonly input?: string | undefined;
  readonly signal?: AbortSignal;
  readonly env?: Record<string, string>;
}

/** A project folder of its own, with the commands of pipe called in this process. */
export class PipeProject {
  readonly dir: string;

  /** `dir`: the folder of a project that is there. */
  constructor(dir?: string) {
    this.dir = dir ?? mkdtempSync(join(tmpdir(), 'pipe-cli-'));
    if (dir === undefined) mkdirSync(join(this.dir, 'pipelines'));
  }

  write(name: string, text: string): void { writeFileSync(join(this.dir, 'pipelines', name), text); }
  path(...parts: string[]): string { return join(this.dir, ...parts); }
  remove(): void { rmSync(this.dir, { recursive: true, force: true }); }

  async call(argv: readonly string[], o: CallOptions = {}): Promise<Called> {
    const io = fakeIo({ cwd: this.dir, env: o.env ?? {}, ...(o.input === undefined ? {} : { input: o.input }), ...(o.signal === undefined ? {} : { signal: o.signal }) });
    let exit: number;
    let problem: PipeError | null = null;
    try {
      exit = await dispatch(argv, io, commands, () => '0');
    } catch (error) {
      problem = error instanceof PipeErrors ? error.problems[0] as PipeError : error instanceof PipeError ? error : null;
      if (problem === null) throw error;
      exit = problem.exit;
    }
    const lines = (): Record<string, unknown>[] => io.out.text.split('\n').filter(l => l !== '').map(l => JSON.parse(l) as Record<string, unknown>);
    return { exit, out: io.out.text, err: io.err.text, get json() { return lines(); }, problem };
  }

  /** Throws unless the command ends well. */
  async ok(argv: readonly string[], o: CallOptions = {}): Promise<Called> {
    const r = await this.call(argv, o);
    if (r.problem !== null || r.exit !== 0) throw new Error(`pipe ${argv.join(' ')}: ${r.exit} ${r.problem?.code} ${r.problem?.message}\n${r.problem?.hint}`);
    return r;
  }

  /** Lines sent to a topic. */
  send(topic: string, lines: readonly string[], ...flags: string[]): Promise<Called> {
    return this.ok(['topics', 'send', topic, ...flags], { input: lines.map(l => `${l}\n`).join('') });
  }

  /** Records of a topic, in the order of partition and offset. */
  async records(topic: string, ...flags: string[]): Promise<Record<string, unknown>[]> {
    const { json } = await this.ok(['topics', 'tail', topic, '--from-beginning', '--until-end', '--json', ...flags]);
    return json.sort((a, b) => (a['partition'] as number) - (b['partition'] as number) || (a['offset'] as number) - (b['offset'] as number));
  }

  /** A query of an SQLite file of the project. */
  sql(file: string, sql: string): unknown[] {
    const db = new Database(this.path(file));
    try {
      const s = db.prepare(sql);
      return s.reader ? s.raw().all() : [s.run().changes];
    } finally {
      db.close();
    }
  }
}
