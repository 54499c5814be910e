/**
 * npm run torture -- [--minutes N] [--only P3,P6] [--seed N] [--rounds N] [--brokers LIST]
 *
 * Promises under faults, one line of figures each: PROMISE P3 kills=60 lost=0 dup=0 mismatch=0. Each is run once, then in turn until the
 * time is over; figures add up. Exit 1 when a figure is wrong, with the command that runs the failing pass again. Kafka: --brokers, else
 * PIPE_TEST_BROKERS, else a broker of its own; without one, what needs Kafka is left out and said.
 */
import { createViteServer } from 'vitest/node';

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

const server = await createViteServer({ root: new URL('../..', import.meta.url).pathname, configFile: false, logLevel: 'error', server: { middlewareMode: true, watch: null, ws: false }, optimizeDeps: { noDiscovery: true } });
let exit = 2;
try {
  const { main } = await server.ssrLoadModule('/test/torture/run.ts');
  exit = await main(process.argv.slice(2));
} finally {
  await server.close();
}
process.exit(exit);
