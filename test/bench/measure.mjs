import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** To be loaded with --require. */
export const PRELOAD = fileURLToPath(new URL('usage.cjs', import.meta.url));

/**
 * Runs `node args` and returns what the whole process used: {cpuSeconds, rssMb, wallSeconds, stdout, stderr}; seen from here it took
 * `ms`, and `firstMs` until it printed something to stdout.
 * Rejects when it fails or takes longer than `timeoutMs`.
 */
export function measured(args, { dir, cwd, env = {}, timeoutMs = 600_000 }) {
  const usage = join(dir, `usage-${process.hrtime.bigint()}.json`);
  return new Promise((resolve, reject) => {
    const began = performance.now();
    let firstMs = null;
    const child = spawn(process.execPath, ['--require', PRELOAD, ...args], { cwd, env: { ...process.env, ...env, BENCH_USAGE: usage }, stdio: ['ignore', 'pipe', 'pipe'] });
    const out = [];
    const err = [];
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.stdout.on('data', d => { firstMs ??= performance.now() - began; out.push(d); });
    child.stderr.on('data', d => err.push(d));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const ms = performance.now() - began;
      const stdout = Buffer.concat(out).toString();
      const stderr = Buffer.concat(err).toString();
      if (code !== 0) return reject(new Error(`node ${args.join(' ')} ended with ${signal ?? code}\n${stderr.slice(-2000)}${stdout.slice(-500)}`));
      const used = JSON.parse(readFileSync(usage, 'utf8'));
      rmSync(usage);
      resolve({ ...used, stdout, stderr, ms, firstMs });
    });
  });
}

/** {median, low, high} of some numbers. */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, low: sorted[0], high: sorted[sorted.length - 1] };
}
