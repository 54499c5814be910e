import { openBlock } from '../../engine/block.ts';
import type { OutEpoch } from '../connector.ts';
import type { OutRecords } from './producer.ts';

/** The blocks of an epoch, as views. */
export const outRecords = (e: OutEpoch): OutRecords[] => e.blocks.map(b => ({ topic: b.topic, partition: b.partition, records: openBlock(b.data, b.topic, b.partition, 0, null) }));
