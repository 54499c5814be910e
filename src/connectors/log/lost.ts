import { PipeError } from '../../errors.ts';

/** Offsets [from, to) that retention has overtaken, in words. */
export const deletedText = (topic: string, partition: number, from: number, to: number): string => {
  const one = to - from === 1;
  return `${to - from} ${one ? 'record of' : 'records of'} ${topic}/${partition} ${one ? 'was' : 'were'} deleted by retention before ${one ? 'it was' : 'they were'} read (offsets ${from} to ${to - 1})`;
};

export const offsetLost = (what: string): PipeError =>
  new PipeError('system.source.offset_lost', what, { hint: 'on_data_loss: earliest on the source goes on with what is there; --reset-state starts again' });
