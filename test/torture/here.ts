import { parseCommandLine } from '../../src/cli/args.ts';
import { run } from '../../src/cli/run.ts';
import { PipeError } from '../../src/errors.ts';
import { fakeIo } from '../cli/fake-io.ts';

/** How a run in this process ended: no `problem` is exit 0. Other errors than PipeErrors are thrown. */
export interface Ended {
  readonly problem: PipeError | null;
  readonly err: string;
}

/** `pipe run FILE --until-end` on the embedded log of `dir`, without a process of its own. */
export async function runHere(dir: string, file: string, args: readonly string[] = []): Promise<Ended> {
  const io = fakeIo({ cwd: dir });
  try {
    await run.run(parseCommandLine(run, [file, '--until-end', '--no-print', '--json', '--brokers', 'none', ...args]), io);
    return { problem: null, err: io.err.text };
  } catch (error) {
    if (!(error instanceof PipeError)) throw error;
    return { problem: error, err: io.err.text };
  }
}
