/** Loaded before a party's own code (node --require): leaves what the whole process used in the file BENCH_USAGE when it exits, and tells a parent that asks. */
const { writeFileSync } = require('node:fs');

if (process.env.BENCH_USAGE !== undefined) {
  process.on('exit', () => {
    const u = process.resourceUsage();
    writeFileSync(process.env.BENCH_USAGE, JSON.stringify({ cpuSeconds: (u.userCPUTime + u.systemCPUTime) / 1e6, rssMb: u.maxRSS / 1024, wallSeconds: performance.now() / 1000 }));
  });
}
if (process.send !== undefined) {
  process.on('message', () => process.send(process.cpuUsage()));
  process.channel.unref();
}
