import { join } from 'node:path';
import type { PipelineSpec } from '../config/spec.ts';
import type { Log, Notices } from '../connectors/connector.ts';
import type { LogChoice } from './log-choice.ts';
import type { SampleLog } from './run-topics.ts';

/** The log of a choice, not opened yet. `spec` gives the client settings of Kafka; null for commands without a pipeline. */
export async function makeLog(choice: LogChoice, dataDir: string, spec: PipelineSpec | null, notices: Notices): Promise<Log & Partial<SampleLog>> {
  if (choice.brokers === null) {
    const { openEmbeddedLog } = await import('../connectors/log/log.ts');
    return openEmbeddedLog({ path: join(dataDir, 'topics.db'), notices });
  }
  const { openKafkaLog } = await import('../connectors/kafka/log.ts');
  return openKafkaLog({ brokers: choice.brokers, settings: spec?.settings.kafka ?? null, notices });
}
