import type { KeptLetter } from '../../state/dead-letter-file.ts';
import { DEAD_VALUE_BYTES } from '../../state/dead-letters.ts';
import type { ReplayMark } from '../../state/store.ts';

/** A dead letter of a pipeline, of the table in its state file or of a topic of dead letters. */
export interface Letter extends Omit<KeptLetter, 'id' | 'size'> {
  /** What a command line names it by: its number in the table, or `topic-partition-offset` of the topic that it lies in. */
  readonly ref: string;
  readonly id: number | null;
  /** Bytes of the value as it was read; null where it was cut and nobody knows. */
  readonly size: number | null;
  /** Where it lies in a topic. */
  readonly mark: ReplayMark | null;
}

/** Why a letter cannot be sent again. */
export type Unfit = 'not_kept' | 'cut' | 'no_record' | 'other_source';

export function unfit(l: Letter): Unfit | null {
  if (l.message === null) return 'not_kept';
  if (l.partition < 0) return 'no_record';
  // headers in a topic are what its writers say: nothing is sent to a topic that the pipeline does not read
  if (l.id === null && l.source === '') return 'other_source';
  const whole = l.size === (l.value?.length ?? 0) && (l.key?.length ?? 0) < DEAD_VALUE_BYTES;
  return whole ? null : 'cut';
}

/** Where the record was read: one record may be several letters. */
export const recordOf = (l: Letter): string => `${l.topic}-${l.partition}-${l.offset}`;
