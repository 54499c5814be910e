/** Loaded before a party's own code (node --import): leaves what the whole process used in the file BENCH_USAGE when it exits. */
import { writeFileSync } from 'node:fs';
import process from 'node:process';

process.on('exit', () => {
  const u = process.resourceUsage();
  writeFileSync(process.env.BENCH_USAGE, JSON.stringify({ cpuSeconds: (u.userCPUTime + u.systemCPUTime) / 1e6, rssMb: u.maxRSS / 1024, wallSeconds: performance.now() / 1000 }));
});
