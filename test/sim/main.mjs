// npm run sim -- --seed N | --seeds N [--from N]
import { createServer } from 'vite';

const server = await createServer({ configFile: false, root: new URL('../..', import.meta.url).pathname, logLevel: 'error', appType: 'custom', server: { middlewareMode: true, hmr: false, watch: null, ws: false }, optimizeDeps: { noDiscovery: true } });
try {
  const { main } = await server.ssrLoadModule('/test/sim/main.ts');
  process.exitCode = await main(process.argv.slice(2));
} finally {
  await server.close();
}
