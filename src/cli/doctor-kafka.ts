import type { CompiledPipeline } from '../config/compile.ts';
import type { PipelineSpec } from '../config/spec.ts';
import { ConnectionLost, isPassing, KafkaError } from '../connectors/kafka/kafka-error.ts';
import { groupName } from '../connectors/kafka/marker.ts';
import { Survey, type BrokerFinding, type ClockFinding, type TopicFinding } from '../connectors/kafka/survey.ts';
import { writtenTopics } from '../engine/runtime.ts';
import { plural } from '../numbers.ts';
import { examineState } from '../state/examine.ts';
import { failed, ok, problem, unknown, warning, type Check } from './doctor-check.ts';
import type { LogChoice } from './log-choice.ts';
import { statePath } from './places.ts';

/** ms by which the clocks may differ: event times are judged by ours, retention by the broker's. */
const SKEW_MS = 2000;
/** A transaction of pipe is given up after this many ms. */
const STALE_MS = 60_000;

export interface KafkaQuestion {
  readonly brokers: readonly string[];
  readonly origin: LogChoice['origin'];
  readonly timeout: number;
  readonly data: string;
  /** Those that use these brokers, with the same settings.kafka. */
  readonly pipelines: readonly CompiledPipeline[];
  readonly signal: AbortSignal;
  /** This machine's clock, epoch ms. */
  now(): number;
}

/** Asks the brokers and changes nothing there. */
export async function* checkKafka(q: KafkaQuestion): AsyncIterable<Check> {
  const label = `Kafka at ${q.brokers.join(',')} (${q.origin})`;
  const survey = new Survey(q.brokers, q.pipelines[0]?.spec.settings.kafka ?? null);
  try {
    await survey.open(q.timeout, { warn: () => undefined, info: () => undefined }, q.signal);
    const brokers = await survey.brokers();
    yield ok('broker', `${label}: cluster ${survey.id}, ${plural(brokers.length, 'broker')}`);
    const problems = brokers.flatMap(b => brokerProblem(b) ?? []);
    yield* problems.length > 0 ? problems : [versions(brokers)];
    yield clock(await survey.clock(() => q.now()));
    const topics = await survey.topics([...new Set(q.pipelines.flatMap(({ spec }) => [...spec.sources.map(s => s.topic), ...writtenTopics(spec, null)]))]);
    for (const { spec } of q.pipelines) {
      yield* topicsOf(spec, topics);
      yield* ofPipeline(spec, survey, q);
    }
  } catch (error) {
    yield error instanceof KafkaError || error instanceof ConnectionLost ? problem('broker', 'system.source.unreachable', `${label}: ${error.message}`, 'try again') : failed('broker', error);
  } finally {
    survey.close();
  }
}

function brokerProblem({ node, lacks, problem: why }: BrokerFinding): Check | null {
  if (lacks === null) return problem(`broker ${node}`, 'system.source.unreachable', `it cannot be reached: ${why}`, 'its address is what the cluster says (advertised.listeners): this machine must reach it');
  if (lacks.length > 0) return problem(`broker ${node}`, 'system.source.client_version', `it does not speak ${lacks.join(', ')}`, 'pipe works with Kafka 4, and 3.1 or newer');
  return null;
}

function versions(brokers: readonly BrokerFinding[]): Check {
  const level = Math.min(...brokers.map(b => b.transactions));
  return ok('versions', `${brokers.length === 1 ? 'it speaks' : 'all speak'} what pipe needs; transactions ${level >= 2 ? 'of version 2 (KIP-890)' : 'of the first version (before KIP-890)'}`);
}

function clock(c: ClockFinding): Check {
  if ('unknown' in c) return unknown('clock', c.unknown);
  const ms = Math.round(Math.abs(c.ahead));
  const text = `this machine is ${ms} ms ${c.ahead < 0 ? 'behind' : 'ahead of'} the controller (node ${c.controller}), give or take ${Math.ceil(c.within)} ms`;
  return ms > SKEW_MS + c.within ? warning('clock', text, 'let NTP set the clocks: max_future judges event times by this one, retention goes by the brokers\'') : ok('clock', text);
}

function topicsOf(spec: PipelineSpec, topics: ReadonlyMap<string, TopicFinding>): Check[] {
  const creates = new Set([...spec.sources, ...spec.sinks].filter(s => s.create !== null).map(s => s.topic));
  const look = (topic: string, side: 'source' | 'sink'): Check => {
    const check = `topic ${topic}`;
    const found = topics.get(topic);
    if (found === undefined || !found.exists) {
      if (creates.has(topic)) return ok(check, `is not there yet; a run of ${spec.name} makes it (create)`);
      return problem(check, side === 'source' ? 'system.source.topic_missing' : 'system.sink.topic_missing', `${spec.name} needs it, and it does not exist`, `pipe topics create ${topic} --partitions 3, or say create: {partitions: 3} in the file`);
    }
    if (found.problem !== null) return problem(check, 'system.source.auth', found.problem, `${spec.name} needs the rights Describe and ${side === 'source' ? 'Read' : 'Write'} on it`);
    if (found.leaderless.length > 0) return problem(check, 'system.source.unreachable', `partition ${found.leaderless.join(', ')} has no leader`, 'a broker is down');
    const right = side === 'source' ? found.mayRead : found.mayWrite;
    if (!right) return problem(check, 'system.source.auth', `this user may not ${side === 'source' ? 'read' : 'write'} it`, `give it the right ${side === 'source' ? 'Read' : 'Write'} on the topic`);
    return ok(check, `${plural(found.partitions, 'partition')}; ${spec.name} may ${side === 'source' ? 'read' : 'write'} it`);
  };
  return [...spec.sources.map(s => look(s.topic, 'source')), ...[...writtenTopics(spec, null)].map(t => look(t, 'sink'))];
}

/** Group and transactional id, and whether the state here goes with them. */
async function* ofPipeline(spec: PipelineSpec, survey: Survey, q: KafkaQuestion): AsyncIterable<Check> {
  const { idPrefix } = spec.settings.kafka;
  const name = groupName({ pipeline: spec.name, idPrefix });
  const [group, id] = [`group ${name}`, `transactional id ${name}`];
  try {
    const found = await survey.group(spec.name, idPrefix);
    if (found.members > 0) yield problem(group, 'system.source.auth', `${plural(found.members, 'consumer')} of something else has joined it`, 'stop it, or set pipe apart with settings.kafka.id_prefix: offsets of a group with members cannot be committed');
    else if (!found.mayRead) yield problem(group, 'system.source.auth', 'this user may not commit its offsets', `give it the right Read on the group ${name}`);
    else yield ok(group, found.offsets === 0 ? 'has no offsets yet; the first run makes them' : `offsets of ${plural(found.offsets, 'partition')}`);
    const state = examineState(statePath(q.data, spec, survey.id));
    if (state?.lock.held !== true) found.marks(state?.stateId ?? '', state?.delivery ?? 0);
  } catch (error) {
    yield refused(group, error, `the rights Read and Describe on the group ${name}`);
  }
  if (spec.settings.delivery !== 'exactly-once') return;
  try {
    const found = await survey.transaction(spec.name, idPrefix);
    const open = found === null || found.startedAt < 0 || found.state !== 'Ongoing' ? 0 : q.now() - found.startedAt;
    if (found === null) yield ok(id, 'has not been used yet; only a run shows whether it may be written');
    else if (open > STALE_MS) yield warning(id, `a transaction has been open for ${Math.round(open / 1000)} s`, 'its owner is stalled or gone; the next run of the pipeline ends it');
    else yield ok(id, `known (${found.state}); only a run shows whether it may be written`);
  } catch (error) {
    yield refused(id, error, `the rights Write and Describe on the transactional id ${name}`);
  }
}

/** What the broker says against it, in its own word. */
function refused(check: string, error: unknown, rights: string): Check {
  if (isPassing(error)) return problem(check, 'system.source.unreachable', (error as Error).message, 'try again');
  if (error instanceof KafkaError) return problem(check, 'system.source.auth', `the broker says ${error.message.replace(/^.*: /, '')}`, `the pipeline needs ${rights}`);
  return failed(check, error);
}
