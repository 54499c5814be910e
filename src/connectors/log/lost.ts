import { PipeError } from '../../errors.ts';

/** Offsets [from, to) that retention has overtaken, in words. */
export const deletedText = (topic: string, partition: number, from: number, to: number): string => {
  const one = to - from === 1;
  return `${to - from} ${one ? 'record of' : 'records of'} ${topic}/${partition} ${one ? 'was' : 'were'} deleted by retention before ${one ? 'it was' : 'they were'} read (offsets ${from} to ${to - 1})`;
};

/** A record that should be there, `offset` of a partition, and is not. */
export const missingRecord = (topic: string, partition: number, offset: number): PipeError =>
  new PipeError('system.source.corrupt_batch', `the record at offset ${offset} of ${topic}/${partition} is missing from the log`, { hint: 'restore a copy of topics.db' });

export const offsetLost = (what: string): PipeError =>
  new PipeError('system.source.offset_lost', what, { hint: 'on_data_loss: earliest on the source goes on with what is there; --reset-state starts again' });
