import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } from 'kafkajs';
import { checkKafka } from '../../src/cli/doctor-kafka.ts';
import { type Called, PipeProject } from '../cli/pipe.ts';
import { canOwnBroker, type OwnBroker, startBroker } from './broker.ts';
import { brokers, createTopic, describeKafka, kafkajs, unique, withAdmin } from './support.ts';

let p: PipeProject;
beforeEach(() => { p = new PipeProject(); });
afterEach(() => p.remove());

interface Found {
  readonly check: string;
  readonly level: string;
  readonly message: string;
  readonly hint: string | null;
  readonly code: string | null;
}

/** The checks of a report, by what was looked at. */
const checksOf = (r: Called): Record<string, Found> => Object.fromEntries((r.json[0]?.['checks'] as Found[]).map(c => [c.check, c]));

const pipeline = (name: string, input: string, output: string, settings = ''): string => `name: ${name}
sources:
  ${input}:
    schema: a STRING
sinks:
  ${output}:
    sql: SELECT a FROM "${input}"
${settings}`;

describeKafka('pipe doctor with a broker', () => {
  const doctor = (...args: string[]): Promise<Called> => p.call(['doctor', ...args, '--brokers', brokers as string, '--json']);

  it('finds topics, group, transactional id, versions and the clock in order, and changes nothing', async () => {
    const [name, input, output] = [unique('doc'), await createTopic('in'), await createTopic('out')];
    p.write('a.yaml', pipeline(name, input, output));
    // topics of its own the broker opens when somebody asks for a coordinator
    const seen = (): Promise<unknown> => withAdmin(async admin => [(await admin.listTopics()).filter(t => !t.startsWith('__')).sort(), (await admin.listGroups()).groups.map(g => g.groupId).sort()]);
    const before = await seen();
    const first = await doctor();
    expect(await seen()).toEqual(before);
    expect(first.exit).toBe(0);
    const checks = checksOf(first);
    expect(checks['broker']).toMatchObject({ level: 'ok', message: expect.stringMatching(/^Kafka at \S+ \(--brokers\): cluster \S+, 1 broker$/) as string });
    expect(checks['versions']).toMatchObject({ level: 'ok', message: 'it speaks what pipe needs; transactions of version 2 (KIP-890)' });
    expect(checks['clock']).toMatchObject({ level: 'ok', message: expect.stringMatching(/^this machine is \d{1,3} ms (behind|ahead of) the controller \(node 1\), give or take \d+ ms$/) as string });
    expect(checks[`topic ${input}`]).toMatchObject({ level: 'ok', message: `1 partition; ${name} may read it` });
    expect(checks[`topic ${output}`]).toMatchObject({ level: 'ok', message: `1 partition; ${name} may write it` });
    expect(checks[`group pipe-${name}`]).toMatchObject({ level: 'ok', message: 'has no offsets yet; the first run makes them' });
    expect(checks[`transactional id pipe-${name}`]).toMatchObject({ level: 'ok', message: 'has not been used yet; only a run shows whether it may be written' });

    await p.send(input, ['{"a":"x"}'], '--brokers', brokers as string);
    await p.ok(['run', 'a.yaml', '--until-end', '--brokers', brokers as string]);
    const after = checksOf(await doctor());
    expect(after[`group pipe-${name}`]).toMatchObject({ level: 'ok', message: 'offsets of 1 partition' });
    expect(after[`transactional id pipe-${name}`]?.message).toMatch(/^known \((CompleteCommit|PrepareCommit|Empty)\)/);
    expect(Object.values(after).find(c => c.check.startsWith(`state ${name}@`))).toMatchObject({ level: 'ok', message: expect.stringMatching(/^epoch \d+, .*, whole; does not run now$/) as string });

    // from another data folder the group is that of a foreign state
    const foreign = await doctor('--data-dir', p.path('elsewhere'));
    expect(foreign.exit).toBe(31);
    expect(checksOf(foreign)[`group pipe-${name}`]).toMatchObject({ level: 'problem', code: 'system.state.foreign' });
  });

  it('says which topics are missing, unless a run makes them', async () => {
    const [missing, made] = [unique('missing'), unique('made')];
    p.write('a.yaml', pipeline('a', missing, made).replace('    sql:', '    create: {partitions: 2}\n    sql:'));
    const r = await doctor();
    expect(r.exit).toBe(11);
    expect(checksOf(r)[`topic ${missing}`]).toMatchObject({ level: 'problem', code: 'system.source.topic_missing', hint: `pipe topics create ${missing} --partitions 3, or say create: {partitions: 3} in the file` });
    expect(checksOf(r)[`topic ${made}`]).toMatchObject({ level: 'ok', message: 'is not there yet; a run of a makes it (create)' });
  });

  it('finds somebody in the group', async () => {
    const [name, input, output] = [unique('doc'), await createTopic('in'), await createTopic('out')];
    p.write('a.yaml', pipeline(name, input, output));
    const consumer = kafkajs().consumer({ groupId: `pipe-${name}` });
    const joined = new Promise<void>(done => { consumer.on(consumer.events.GROUP_JOIN, () => done()); });
    await consumer.connect();
    try {
      await consumer.subscribe({ topic: input });
      await consumer.run({ eachMessage: () => Promise.resolve() });
      await joined;
      expect(checksOf(await doctor())[`group pipe-${name}`]).toMatchObject({ level: 'problem', message: '1 consumer of something else has joined it' });
    } finally {
      await consumer.disconnect();
    }
  });

  it.each([[7000, 'ahead of'], [-7000, 'behind']])('measures a clock that is %d ms off', async (off, word) => {
    const found = [];
    for await (const c of checkKafka({ brokers: [brokers as string], origin: 'x', timeout: 10_000, data: p.dir, pipelines: [], signal: new AbortController().signal, now: () => Date.now() + off })) found.push(c);
    const clock = found.find(c => c.check === 'clock');
    expect(clock).toMatchObject({ level: 'warning', hint: expect.stringContaining('NTP') as string });
    const [, ms, direction] = /^this machine is (\d+) ms (ahead of|behind) /.exec(clock?.message ?? '') ?? [];
    expect([direction, Math.abs(Number(ms) - 7000) < 1500]).toEqual([word, true]);
  });
});

describe.skipIf(brokers === null || !canOwnBroker())('pipe doctor with a broker that asks for rights', () => {
  let broker: OwnBroker;
  beforeAll(async () => {
    broker = await startBroker({ properties: {
      'listeners': 'CLIENT://127.0.0.1:{port},INSIDE://127.0.0.1:0,CONTROLLER://127.0.0.1:{controller}', 'advertised.listeners': 'CLIENT://127.0.0.1:{port},INSIDE://127.0.0.1:{port}',
      'listener.security.protocol.map': 'CLIENT:SASL_PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT', 'inter.broker.listener.name': 'INSIDE', 'sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.client.plain.sasl.jaas.config': 'org.apache.kafka.common.security.plain.PlainLoginModule required user_admin="admin-word" user_pipe="pipe-word";',
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer', 'super.users': 'User:ANONYMOUS;User:admin',
    } });
  });
  afterAll(() => broker.stop());

  const settings = (): string => `settings:\n  kafka:\n    brokers: ${broker.address}\n    sasl: {mechanism: plain, username: pipe, password: "\${WORD}"}\n`;
  const doctor = (word = 'pipe-word'): Promise<Called> => p.call(['doctor', '--json'], { env: { WORD: word } });

  it('is told right by right what is missing, until the pipeline runs', async () => {
    const admin = new Kafka({ brokers: [broker.address], sasl: { mechanism: 'plain', username: 'admin', password: 'admin-word' }, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    try {
      await admin.createTopics({ topics: ['in', 'out'].map(topic => ({ topic, numPartitions: 1 })), waitForLeaders: true });
      const allow = (resourceType: AclResourceTypes, resourceName: string, operation: AclOperationTypes): Promise<boolean> =>
        admin.createAcls({ acl: [{ resourceType, resourceName, resourcePatternType: ResourcePatternTypes.LITERAL, principal: 'User:pipe', host: '*', operation, permissionType: AclPermissionTypes.ALLOW }] });
      p.write('a.yaml', pipeline('a', 'in', 'out', settings()));

      const none = await doctor();
      expect(none.exit).toBe(11);
      const nothing = checksOf(none);
      expect(nothing['topic in']).toMatchObject({ level: 'problem', code: 'system.source.auth', message: 'the broker says: TOPIC_AUTHORIZATION_FAILED', hint: 'a needs the rights Describe and Read on it' });
      expect(nothing['topic out']).toMatchObject({ level: 'problem', hint: 'a needs the rights Describe and Write on it' });
      expect(nothing['group pipe-a']).toMatchObject({ level: 'problem', message: 'the broker says GROUP_AUTHORIZATION_FAILED' });
      expect(nothing['transactional id pipe-a']).toMatchObject({ level: 'problem', message: 'the broker says TRANSACTIONAL_ID_AUTHORIZATION_FAILED' });
      expect(nothing['clock']).toMatchObject({ level: 'unknown', message: 'asking for the time of the controller takes the right Describe on the cluster' });

      for (const topic of ['in', 'out']) await allow(AclResourceTypes.TOPIC, topic, AclOperationTypes.DESCRIBE);
      await allow(AclResourceTypes.GROUP, 'pipe-a', AclOperationTypes.DESCRIBE);
      await allow(AclResourceTypes.TRANSACTIONAL_ID, 'pipe-a', AclOperationTypes.DESCRIBE);
      await allow(AclResourceTypes.CLUSTER, 'kafka-cluster', AclOperationTypes.DESCRIBE);
      const looks = checksOf(await doctor());
      expect(looks['topic in']).toMatchObject({ level: 'problem', message: 'this user may not read it' });
      expect(looks['topic out']).toMatchObject({ level: 'problem', message: 'this user may not write it' });
      expect(looks['group pipe-a']).toMatchObject({ level: 'problem', message: 'this user may not commit its offsets' });
      expect(looks['transactional id pipe-a']?.level).toBe('ok');
      expect(looks['clock']?.level).toBe('ok');

      await allow(AclResourceTypes.TOPIC, 'in', AclOperationTypes.READ);
      await allow(AclResourceTypes.TOPIC, 'out', AclOperationTypes.WRITE);
      await allow(AclResourceTypes.GROUP, 'pipe-a', AclOperationTypes.READ);
      expect((await doctor()).exit).toBe(0);
      // it said so: that this may be written shows a run only
      expect((await p.call(['run', 'a.yaml', '--until-end'], { env: { WORD: 'pipe-word' } })).problem?.message).toContain('TRANSACTIONAL_ID_AUTHORIZATION_FAILED');
      await allow(AclResourceTypes.TRANSACTIONAL_ID, 'pipe-a', AclOperationTypes.WRITE);
      await p.ok(['run', 'a.yaml', '--until-end'], { env: { WORD: 'pipe-word' } });
      expect((await doctor()).exit).toBe(0);
    } finally {
      await admin.disconnect();
    }
  });

  it('says that the password is wrong, and not which', async () => {
    p.write('a.yaml', pipeline('a', 'in', 'out', settings()));
    const r = await doctor('canary-word');
    expect(r.exit).toBe(11);
    expect(checksOf(r)['broker']).toMatchObject({ level: 'problem', code: 'system.source.auth' });
    expect(r.out + r.err).not.toMatch(/canary-word|pipe-word/);
  });
});
