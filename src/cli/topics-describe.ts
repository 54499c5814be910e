import type { Command } from './command.ts';
import { bytes, grouped, plural, recordCount } from '../numbers.ts';
import { COUNT_NOTE, columns, existingTopic, logFlags, records, storedBytes, topicArgument, topicJson, withLog } from './topics-log.ts';

export const topicsDescribe: Command = {
  name: 'topics describe',
  summary: 'shows the partitions of a topic: begin and end offsets, records, bytes',
  usage: 'TOPIC',
  examples: [
    ['pipe topics describe transactions', 'partitions with their offsets'],
    ['pipe topics describe transactions --json', 'as one JSON object'],
  ],
  flags: logFlags,
  notes: [COUNT_NOTE],
  run: async (p, io) => {
    const name = topicArgument(p, 'topics describe');
    return withLog(p, io, async o => {
      const t = await existingTopic(o, name);
      if (p.has('json')) {
        io.out.write(`${JSON.stringify(topicJson(t))}\n`);
        return 0;
      }
      const size = storedBytes(t);
      io.out.write(`${t.name}  ${[plural(t.partitions.length, 'partition'), `${recordCount(o.log.kind, records(t))} record${records(t) === 1 ? '' : 's'}`, ...(size === null ? [] : [bytes(size)]), `${o.log.label} (${o.origin})`].join(' · ')}\n`);
      io.out.write(columns([
        ['PARTITION', 'BEGIN', 'END', 'RECORDS', 'BYTES'],
        ...t.partitions.map(x => [String(x.partition), grouped(x.begin), grouped(x.end), recordCount(o.log.kind, x.end - x.begin), x.bytes === null ? '-' : bytes(x.bytes)]),
      ]));
      return 0;
    });
  },
};
