import type { Log } from '../connectors/connector.ts';

/** Settings of a topic that this log has not. */
export const unknownSettings = (log: Log, config: Readonly<Record<string, string>>): string[] => (log.kind === 'kafka' ? [] : Object.keys(config).filter(k => k !== 'retention.ms'));
