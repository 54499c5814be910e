import { noArguments } from './args.ts';
import type { Command } from './command.ts';
import { bytes, grouped, recordCount } from '../numbers.ts';
import { COUNT_NOTE, columns, logFlags, records, say, storedBytes, topicJson, withLog } from './topics-log.ts';

export const topicsLs: Command = {
  name: 'topics ls',
  summary: 'lists topics with their partitions, records and bytes',
  usage: '',
  examples: [
    ['pipe topics ls', 'topics of the embedded log of this project'],
    ['pipe topics ls --brokers localhost:9092', 'topics on Kafka'],
    ['pipe topics ls --json', 'one JSON array, with begin and end of each partition'],
  ],
  flags: logFlags,
  notes: [COUNT_NOTE],
  run: async (p, io) => {
    noArguments(p, 'topics ls');
    return withLog(p, io, async ({ log, place }) => {
      const topics = [...await log.topics()].sort((a, b) => (a.name < b.name ? -1 : 1));
      if (p.has('json')) io.out.write(`${JSON.stringify(topics.map(topicJson))}\n`);
      else if (topics.length === 0) say(p, io, `no topics on ${place}; make one: pipe topics create NAME`);
      else {
        const size = (n: number | null): string => (n === null ? '-' : bytes(n));
        io.out.write(columns([['TOPIC', 'PARTITIONS', 'RECORDS', 'BYTES'], ...topics.map(t => [t.name, grouped(t.partitions.length), recordCount(log.kind, records(t)), size(storedBytes(t))])]));
      }
      return 0;
    });
  },
};
