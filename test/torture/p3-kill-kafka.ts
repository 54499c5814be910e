import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { jars } from '../kafka/jars.ts';
import { type Bed, mustDie, none, onBed } from './bed.ts';
import type { Promised } from './promise.ts';
import { shapeNames, type ShapeName } from './workload.ts';

const KILLS_A_CHECK = 3;
/** ms without a record after which Kafka's consumer gives up. */
const READ_MS = 60_000;

export const p3: Promised = {
  id: 'P3',
  promise: 'kill -9 at any time on Kafka: readers of committed records see the output of a run without kills',
  needs: 'broker',
  rounds: 6,
  zero: ['lost', 'dup', 'mismatch', 'java_lost', 'java_dup', 'java_mismatch'],
  async run(o) {
    return onBed({ seed: o.seed, brokers: o.brokers, shape: shapeNames[o.seed % shapeNames.length] as ShapeName, ...(o.seed % 2 === 0 ? {} : { workers: 2 }) }, async bed => {
      // a reader that is there all the time, and one of Kafka's own at the end
      const reader = bed.project.start(['topics', 'tail', bed.output, '--from-beginning', '--quiet'], { env: bed.env });
      let found = none;
      for (let kills = 1; kills <= o.rounds; kills++) {
        const run = bed.start();
        await bed.feedWhile(run, 100 + bed.chance() * 1300);
        run.kill('SIGKILL');
        mustDie(await run.finished);
        if (kills % KILLS_A_CHECK === 0 || kills === o.rounds) found = await bed.check();
        if (found.lost + found.dup + found.mismatch > 0) break;
      }
      const expected = bed.work.expected().length;
      await reader.until(r => r.out.split('\n').length > expected, 20_000).catch(() => undefined);
      reader.kill('SIGTERM');
      const live = bed.work.compare((await reader.finished).lines);
      const java = javaReads(bed, (await bed.rows()).length);
      const theirs = java === null ? none : bed.work.compare(java);
      return {
        kills: o.rounds, records: bed.work.records, rows: expected, lost: found.lost + live.lost, dup: found.dup + live.dup, mismatch: found.mismatch + live.mismatch,
        ...(java === null ? {} : { java_rows: java.length, java_lost: theirs.lost, java_dup: theirs.dup, java_mismatch: theirs.mismatch }),
      };
    });
  },
};

/** The first `rows` committed rows as Kafka's own consumer reads them; null where there is none. */
function javaReads(bed: Bed, rows: number): string[] | null {
  const r = spawnSync('java', [
    '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xmx256m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', join(jars, '*'), 'org.apache.kafka.tools.consumer.ConsoleConsumer',
    '--bootstrap-server', bed.env['PIPE_BROKERS'] as string, '--topic', bed.output, '--from-beginning', '--isolation-level', 'read_committed', '--timeout-ms', String(READ_MS), '--max-messages', String(rows),
  ], { encoding: 'utf8', timeout: 3 * READ_MS, maxBuffer: 1 << 28 });
  const lines = (r.stdout ?? '').split('\n').filter(l => l !== '');
  // it is not there, or the machine is too busy for it: then only our own readers have looked
  return lines.length === 0 ? null : lines;
}
