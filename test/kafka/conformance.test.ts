import { describe } from 'vitest';
import { logConformance } from '../log/conformance.ts';
import { brokers, openLog } from './support.ts';

describe.skipIf(brokers === null)('the promises of every log', () => {
  logConformance('Kafka', { open: () => openLog() });
});
