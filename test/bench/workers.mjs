/**
 * node test/bench/workers.mjs [--records N] [--accounts N[,N]] [--workers N[,N]] [--runs N] [--brokers LIST]
 *
 * balances with one thread and with several, of which the main one is the first, in turns, on the embedded log or on Kafka; how many
 * times faster is taken within each round. Beside the rate stand the CPU seconds of a million records, as a whole and by thread (the main
 * one, others in order, then those of the garbage collector and the compiler). What the machine has to give is shown by as many
 * processes of one thread that share nothing, at once, each with all the records.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { valueOf } from './generate.mjs';
import { spread } from './measure.mjs';
import { reported, writePipeline } from './parties.mjs';
import { CLI, load, workspace, writeLines } from './workspace.mjs';

const TICKS = 100;
/** V8 starts so many helpers beside the main thread before anything else runs. */
const HELPERS = 4;

/** CPU seconds by thread, in the order of their making, as last seen before the process ended. */
function watch(pid, seen) {
  try {
    for (const t of readdirSync(`/proc/${pid}/task`)) {
      const stat = readFileSync(`/proc/${pid}/task/${t}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      seen.set(Number(t), (Number(fields[11]) + Number(fields[12])) / TICKS);
    }
  } catch {
    // it has ended
  }
}

function runOnce(args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
    const seen = new Map();
    let err = '';
    child.stderr.on('data', d => { err += d; });
    const timer = setInterval(() => watch(child.pid, seen), 20);
    child.on('close', code => {
      clearInterval(timer);
      if (code !== 0) return reject(new Error(`node ${args.join(' ')} ended with ${code}\n${err.slice(-2000)}`));
      const threads = [...seen].sort((a, b) => a[0] - b[0]).map(([, s]) => s);
      resolve({ summary: reported(err, 'records_in'), threads });
    });
  });
}

/** `log`: broker list or `none`. */
export async function workers({ records = 4_000_000, accountCounts = [1000, 1_000_000], counts: asked = [2], runs = 3, log = 'none', say = () => undefined }) {
  const counts = [...new Set([1, ...asked])];
  const dir = workspace();
  try {
    const results = [];
    for (const accounts of accountCounts) {
      const topic = `workers-${process.pid}-${accounts}`;
      const lines = join(dir, `${topic}.jsonl`);
      say(`${records} records, ${accounts} accounts: loading`);
      await writeLines(lines, records, i => valueOf(i, accounts));
      await load({ log, topic, file: lines, dir });
      rmSync(lines);
      const most = Math.max(...counts);
      const files = Array.from({ length: most }, (_, k) => writePipeline(dir, 'balances', `${topic}-${k}`, topic));
      const once = (k, n) => runOnce([CLI, 'run', files[k], '--until-end', '--reset-state', '--json', '--no-print', '--brokers', log, '--data-dir', join(dir, 'data'), '--workers', String(n)], dir);
      const found = new Map(counts.map(n => [n, []]));
      const apart = [];
      for (let round = 0; round < runs; round++) {
        // what grows slower from round to round is not held against the same one
        for (const n of round % 2 === 0 ? counts : counts.toReversed()) {
          const r = await once(0, n);
          found.get(n).push(r);
          say(`  ${n} workers: ${r.summary.ms} ms, CPU by thread ${r.threads.map(s => s.toFixed(2)).join(' ')}`);
        }
        const all = await Promise.all(files.map((_, k) => once(k, 1)));
        apart.push((most * found.get(1)[round].summary.ms) / Math.max(...all.map(r => r.summary.ms)));
        say(`  ${most} processes at once: ${all.map(r => r.summary.ms).join(' ')} ms`);
      }
      for (const [n, list] of found) {
        const million = s => (s * 1e6) / records;
        const middle = of => spread(list.map(of)).median;
        const threads = n - 1;
        results.push({
          accounts, workers: n, rows: list[0].summary.rows_out, processes: most, apart: spread(apart), times: spread(list.map((r, round) => found.get(1)[round].summary.ms / r.summary.ms)), recordsPerSecond: spread(list.map(r => (records * 1000) / r.summary.ms)),
          cpuSecondsPerMillion: spread(list.map(r => million(r.threads.reduce((a, b) => a + b, 0)))),
          main: million(middle(r => r.threads[0])), each: Array.from({ length: threads }, (_, k) => million(middle(r => r.threads.slice(HELPERS + 1).sort((a, b) => b - a)[k] ?? 0))),
        });
      }
    }
    return results;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values: v } = parseArgs({ options: { records: { type: 'string' }, accounts: { type: 'string' }, workers: { type: 'string' }, runs: { type: 'string' }, brokers: { type: 'string' } } });
  const list = text => text?.split(',').map(Number);
  const shown = s => `${s.median.toFixed(2)} (${s.low.toFixed(2)} to ${s.high.toFixed(2)})`;
  const found = await workers({
    records: v.records === undefined ? undefined : Number(v.records), accountCounts: list(v.accounts), counts: list(v.workers), runs: v.runs === undefined ? undefined : Number(v.runs),
    log: v.brokers, say: line => process.stderr.write(`${line}\n`),
  });
  for (const r of found) {
    process.stdout.write(`${r.accounts} accounts, ${r.workers} workers: ${Math.round(r.recordsPerSecond.median / 1000)} k records/s, ${r.cpuSecondsPerMillion.median.toFixed(2)} CPU s/M`
      + ` (main ${r.main.toFixed(2)}${r.each.length === 0 ? '' : `, others ${r.each.map(s => s.toFixed(2)).join(' ')}`})${r.workers === 1 ? '' : `, ${shown(r.times)} times one thread; ${r.processes} processes apart: ${shown(r.apart)} times`}\n`);
  }
}
