import type { ReadStream } from 'node:tty';

const CTRL_C = '\u0003';
const CTRL_Z = '\u001a';

/** What the terminal would do by itself, were its keys not read one by one. */
export interface JobControl {
  /** Ctrl-C. */
  interrupt(): void;
  /** Ctrl-Z: rests until the shell continues the process, then calls `again`. */
  suspend(again: () => void): void;
}

/** Calls `pressed` with each key of a terminal until the returned function is called. */
export function readKeys(stdin: ReadStream, control: JobControl, pressed: (key: string) => void): () => void {
  const onData = (data: Buffer): void => {
    for (const key of data.toString('utf8')) {
      if (key === CTRL_C) control.interrupt();
      else if (key !== CTRL_Z) pressed(key);
      else {
        stdin.setRawMode(false);
        control.suspend(() => stdin.setRawMode(true));
      }
    }
  };
  stdin.setRawMode(true);
  stdin.on('data', onData);
  stdin.resume();
  return () => {
    stdin.off('data', onData);
    stdin.setRawMode(false);
    stdin.pause();
  };
}
