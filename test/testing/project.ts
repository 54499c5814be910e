import { cpSync } from 'node:fs';
import { resolve } from 'node:path';
import { PipeProject, type Called } from '../cli/pipe.ts';

/** Names of the columns of a transaction, for short. */
export const row = (account: number, amount: string | number, second: number): string => `{account: ${account}, amount: ${amount}, timestamp: "${1704110400 + second}", type: deposit}`;

export const PIPELINE = `name: p
sources:
  transactions:
    schema: account BIGINT, amount DECIMAL(12,2), timestamp STRING, type STRING
    event_time: {from: timestamp, unit: s, as: ts, delay: 5s}
sinks:
  sums:
    sql: |
      SELECT account, SUM(amount) AS total, window_end
      FROM transactions
      WHERE type <> 'test'
      GROUP BY account, TUMBLE(ts, INTERVAL '1' MINUTE)
`;

/** A project with pipelines of its own, whose tests are run in this process. */
export class TestProject extends PipeProject {
  /** The pipelines that come with pipe. */
  shipped(): this {
    cpSync(resolve(import.meta.dirname, '../../pipelines'), this.path('pipelines'), { recursive: true });
    return this;
  }

  /** `pipe test` of a pipeline with these tests; texts of stdout and stderr without times. */
  async tests(tests: string, ...flags: string[]): Promise<{ exit: number; out: string; err: string }> {
    this.write('p.yaml', `${PIPELINE}tests:\n${tests}`);
    return plain(await this.call(['test', ...flags]));
  }
}

export const plain = ({ exit, out, err, problem }: Called): { exit: number; out: string; err: string } =>
  ({ exit, out: out.replace(/\b[\d,]+ ms\b/g, 'N ms'), err: problem === null ? err : `${problem.code}: ${problem.message}\nhint: ${problem.hint ?? ''}` });
