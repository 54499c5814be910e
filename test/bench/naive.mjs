/** The loop that one writes first: eachBatch, JSON.parse, a Map of sums by window and account. Nothing is durable, nothing is written, sums are doubles. */
import { drain } from './drain.mjs';

const sums = new Map();
const done = await drain(messages => {
  for (const message of messages) {
    const t = JSON.parse(message.value.toString());
    const key = `${Math.floor(Number(t.timestamp) / 10) * 10}|${t.account}`;
    sums.set(key, (sums.get(key) ?? 0) + (t.type === 'withdrawal' ? -t.amount : t.amount));
  }
});
process.stdout.write(JSON.stringify({ ...done, groups: sums.size }));
