import type { Command } from './command.ts';
import { bytes, grouped, plural } from './numbers.ts';
import { columns, existingTopic, logFlags, records, storedBytes, topicArgument, topicJson, withLog } from './topics-log.ts';

export const topicsDescribe: Command = {
  name: 'topics describe',
  summary: 'shows the partitions of a topic: begin and end offsets, records, bytes',
  usage: 'TOPIC',
  examples: [
    ['pipe topics describe transactions', 'partitions with their offsets'],
    ['pipe topics describe transactions --json', 'as one JSON object'],
  ],
  flags: logFlags,
  run: async (p, io) => {
    const name = topicArgument(p, 'topics describe');
    return withLog(p, io, async o => {
      const t = await existingTopic(o, name);
      if (p.has('json')) {
        io.out.write(`${JSON.stringify(topicJson(t))}\n`);
        return 0;
      }
      const size = storedBytes(t);
      io.out.write(`${t.name}  ${[plural(t.partitions.length, 'partition'), plural(records(t), 'record'), ...(size === null ? [] : [bytes(size)]), o.place].join(' · ')}\n`);
      io.out.write(columns([
        ['PARTITION', 'BEGIN', 'END', 'RECORDS', 'BYTES'],
        ...t.partitions.map(x => [String(x.partition), grouped(x.begin), grouped(x.end), grouped(x.end - x.begin), x.bytes === null ? '-' : bytes(x.bytes)]),
      ]));
      return 0;
    });
  },
};
