// npm run mutants [-- --only text] [-- --part 1/3] [-- --list]: breaks the code on purpose, one mutant after the other, and sees whether a test notices.
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { createServer } from 'vite';

/** A mutant that makes a test hang is noticed, too. */
const PATIENCE_MS = 300_000;

const root = resolve(import.meta.dirname, '../..');
const args = process.argv.slice(2);
const only = args.includes('--only') ? args[args.indexOf('--only') + 1] : '';

const server = await createServer({ configFile: false, root, logLevel: 'error', appType: 'custom', server: { middlewareMode: true, hmr: false, watch: null, ws: false }, optimizeDeps: { noDiscovery: true } });
const { mutants } = await server.ssrLoadModule('/test/mutants/list.ts');
await server.close();
const [part, parts] = args.includes('--part') ? args[args.indexOf('--part') + 1].split('/').map(Number) : [1, 1];
let left = mutants.filter(m => m.name.includes(only) || m.file.includes(only)).filter((_, i) => i % parts === part - 1);
if (args.includes('--list')) {
  for (const m of left) process.stdout.write(`${m.name}: ${m.why} (${m.file})\n`);
  process.exit(0);
}

/** Runs them in one process as long as that lasts. */
function batch(list) {
  return new Promise(done => {
    const child = spawn(process.execPath, [resolve(import.meta.dirname, 'batch.mjs')], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
    const results = [];
    let timer;
    const arm = () => { clearTimeout(timer); timer = setTimeout(() => { results.push({ name: list[results.length].name, result: 'KILLED', by: 'it hangs' }); child.kill('SIGKILL'); }, PATIENCE_MS); };
    createInterface({ input: child.stdout }).on('line', line => {
      if (!line.startsWith('@@')) return;
      const r = JSON.parse(line.slice(2));
      results.push(r);
      process.stdout.write(`${r.result.padEnd(8)} ${r.name} (${r.by}, ${r.seconds.toFixed(1)} s)\n`);
      arm();
    });
    child.on('close', () => { clearTimeout(timer); done(results); });
    child.stdin.end(JSON.stringify(list));
    arm();
  });
}

const all = [];
while (left.length > 0) {
  const results = await batch(left);
  if (results.length === 0) results.push({ name: left[0].name, result: 'KILLED', by: 'the process ended' });
  all.push(...results);
  left = left.slice(results.length);
}
const survived = all.filter(r => r.result !== 'KILLED');
process.stdout.write(`${all.length} mutants, ${all.length - survived.length} killed (${((100 * (all.length - survived.length)) / Math.max(1, all.length)).toFixed(1)} %)\n`);
process.stdout.write(`PROMISE P38 mutants=${all.length} killed=${all.length - survived.length} survived=${survived.length}\n`);
for (const r of survived) process.stdout.write(`${r.result} ${r.name}\n`);
process.exitCode = survived.length === 0 ? 0 : 1;
