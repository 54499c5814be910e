import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { parseArgs } from 'node:util';
import { fuzzText, judge } from './fuzz-case.mjs';

/*
 * node test/promises/fuzz.mjs [--count 20000] [--seed N] [--json] [--case N]: pipelines of mutated YAML and SQL are read, compiled, explained
 * and run over a few records, in a thread that is watched. Runs what is built in dist/.
 */

/** CPU seconds that a case may take, and seconds without any progress after which it hangs. */
const MOST_CPU = 1;
const STALL = 60;

if (isMainThread) await main();
else work(workerData);

function work({ seed, from, to, at }) {
  const progress = new Int32Array(at);
  const seen = { passed: 0, refused: 0, sources: 0, uncaught: 0, foreign_tokens: 0, hangs: 0, max_cpu_ms: 0 };
  const wrong = [];
  for (let n = from; n < to; n++) {
    Atomics.store(progress, 0, n);
    const text = fuzzText(seed, n);
    const foreign = [];
    const once = () => {
      const began = process.cpuUsage();
      try {
        return { verdict: judge(text, foreign), ms: cpu(began) };
      } catch (error) {
        return { verdict: 'uncaught', ms: cpu(began), error };
      }
    };
    let { verdict, ms, error } = once();
    seen[verdict]++;
    if (verdict === 'uncaught') wrong.push({ n, what: String(error?.stack ?? error).slice(0, 1500), text });
    if (foreign.length > 0) { seen.foreign_tokens += foreign.length; wrong.push({ n, what: `foreign tokens ${foreign.slice(0, 5).join(' ')}`, text }); }
    // a collection of garbage is not the case's fault
    for (let again = 0; ms > MOST_CPU * 1000 && again < 2; again++) ms = Math.min(ms, once().ms);
    if (ms > MOST_CPU * 1000) { seen.hangs++; wrong.push({ n, what: `${ms} ms of CPU`, text }); }
    seen.max_cpu_ms = Math.max(seen.max_cpu_ms, Math.round(ms));
  }
  parentPort.postMessage({ seen, wrong });
}

function cpu(began) {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}

async function main() {
  const { values } = parseArgs({ options: { count: { type: 'string', default: '20000' }, seed: { type: 'string', default: String(Date.now() % 1e9) }, json: { type: 'boolean' }, case: { type: 'string' } } });
  const seed = Number(values.seed);
  if (values.case !== undefined) {
    const text = fuzzText(seed, Number(values.case));
    process.stdout.write(`${text}\n`);
    return void process.stdout.write(`${judge(text, [])}\n`);
  }
  const cases = Number(values.count);
  const figures = { cases: 0, passed: 0, refused: 0, uncaught: 0, hangs: 0, foreign_tokens: 0, max_cpu_ms: 0 };
  const wrong = [];
  const SLICE = 10_000;
  for (let from = 0; from < cases;) {
    const to = Math.min(cases, from + SLICE);
    const { next, seen, wrong: found } = await slice(seed, from, to);
    for (const k of Object.keys(figures)) if (k in seen) figures[k] = k === 'max_cpu_ms' ? Math.max(figures[k], seen[k]) : figures[k] + seen[k];
    wrong.push(...found);
    from = next;
    figures.cases = from;
    if (from < cases) process.stderr.write(`${line(figures, seed)}\n`);
  }
  process.stderr.write(`${line(figures, seed)}\n`);
  process.stdout.write(values.json ? `${JSON.stringify({ figures, wrong: wrong.slice(0, 20) })}\n` : wrong.slice(0, 10).map(w => `case ${w.n}: ${w.what}\n${w.text}\n\n`).join(''));
  process.exitCode = wrong.length > 0 ? 1 : 0;
}

function line(figures, seed) { return `PROMISE P33 ${Object.entries(figures).map(([k, v]) => `${k}=${v}`).join(' ')} seed=${seed}`; }

/** Cases [from, to) in a thread of their own; one that hangs ends it, and what follows goes on after that case. */
function slice(seed, from, to) {
  const at = new SharedArrayBuffer(4);
  const progress = new Int32Array(at);
  const thread = new Worker(new URL(import.meta.url), { workerData: { seed, from, to, at } });
  return new Promise((done, failed) => {
    let last = -1;
    let since = Date.now();
    const watch = setInterval(() => {
      const n = Atomics.load(progress, 0);
      if (n !== last) { last = n; since = Date.now(); return; }
      if (Date.now() - since < STALL * 1000) return;
      clearInterval(watch);
      void thread.terminate();
      done({ next: n + 1, seen: { hangs: 1 }, wrong: [{ n, what: 'hangs', text: fuzzText(seed, n) }] });
    }, 500);
    thread.on('message', m => { clearInterval(watch); done({ next: to, ...m }); });
    thread.on('error', error => { clearInterval(watch); failed(error); });
  });
}
