import { expect, inject, it } from 'vitest';
import { canOwnBroker, startBroker } from '../kafka/broker.ts';
import { Project } from './project.ts';

/** host:port of the Kafka broker of this run, or null: without one nothing here runs. */
const brokers = inject('brokers');

it.skipIf(brokers === null || !canOwnBroker())('a broker that goes away: said at once, the first Ctrl-C says what it waits for, the second leaves', async () => {
  const broker = await startBroker();
  const p = new Project();
  try {
    const env = { PIPE_BROKERS: broker.address };
    await p.run(['topics', 'create', 'transactions', '--partitions', '3'], { env });
    const run = p.start(['run', 'balances.yaml'], { env });
    await run.until('following');
    // positions alone go out each 5 s: some of a stream are always owed
    p.start(['generate', 'transactions', '--count', '100000', '--rate', '500/s'], { env });
    await new Promise(r => setTimeout(r, 3000));
    await broker.down('SIGKILL');
    await run.until('does not answer', 30_000);
    await run.until('"away":true', 20_000);
    run.kill('SIGINT');
    const line = /stopping: waiting for Kafka at \S+ to take epoch \d+ \(at most 20 s\); Ctrl-C again leaves at once\n/;
    await run.until(r => line.test(r.err), 5000);
    run.kill('SIGINT');
    expect((await run.finished).code).toBe(130);
  } finally {
    p.remove();
    await broker.stop();
  }
});
