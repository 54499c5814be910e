import { PipeError } from '../errors.ts';
import { countFlag } from './args.ts';
import type { Command, Parsed } from './command.ts';
import { plural } from '../numbers.ts';
import { unknownSettings } from './topic-settings.ts';
import { DEFAULT_PARTITIONS, existingTopic, logFlags, say, topicArgument, withLog } from './topics-log.ts';

export const topicsCreate: Command = {
  name: 'topics create',
  summary: 'makes a topic; well if it exists with as many partitions, an error (exit 11) if it differs',
  usage: 'TOPIC',
  examples: [
    ['pipe topics create transactions --partitions 3', 'on the embedded log of this project'],
    ['pipe topics create events --partitions 6 --config retention.ms=86400000 --brokers localhost:9092', 'on Kafka, keeping a day'],
  ],
  flags: [
    { name: 'partitions', value: 'N', summary: `how many partitions (default ${DEFAULT_PARTITIONS})` },
    { name: 'config', value: 'KEY=VALUE', many: true, summary: 'a setting of the topic, such as retention.ms (embedded log: that one only; -1 for ever)' },
    ...logFlags,
  ],
  run: async (p, io) => {
    const name = topicArgument(p, 'topics create');
    const wanted = p.text('partitions');
    const asked = wanted === undefined ? DEFAULT_PARTITIONS : countFlag('--partitions', wanted, 1);
    const config = pairs(p, 'config');
    return withLog(p, io, async o => {
      const [unknown] = unknownSettings(o.log, config);
      if (unknown !== undefined) throw new PipeError('user.usage.bad_value', `the embedded log has no setting "${unknown}"`, { hint: 'retention.ms is the only one' });
      const created = await o.log.createTopic({ name, partitions: asked, retention: null, config }).catch((error: unknown) => { throw asUsage(error); }) === 'created';
      const partitions = created ? asked : (await existingTopic(o, name)).partitions.length;
      if (wanted !== undefined && partitions !== asked) {
        throw new PipeError('system.source.topic_exists_otherwise', `topic "${name}" exists on ${o.place} with ${plural(partitions, 'partition')}, not ${asked}`, { hint: 'choose another name, or use it as it is' });
      }
      if (p.has('json')) io.out.write(`${JSON.stringify({ name, partitions, created })}\n`);
      say(p, io, `topic ${name} ${created ? 'made' : 'exists already'} (${plural(partitions, 'partition')}) on ${o.place}`);
      return 0;
    });
  },
};

/** What the broker refuses stands on the command line here, not in a file. */
const asUsage = (error: unknown): unknown => (error instanceof PipeError && error.code === 'user.config.bad_value' ? new PipeError('user.usage.bad_value', error.message, { hint: error.hint, cause: error }) : error);

function pairs(p: Parsed, flag: string): Record<string, string> {
  return Object.fromEntries(p.texts(flag).map(text => {
    const at = text.indexOf('=');
    if (at < 1) throw new PipeError('user.usage.bad_value', `--${flag} takes KEY=VALUE, not "${text}"`);
    return [text.slice(0, at), text.slice(at + 1)];
  }));
}
