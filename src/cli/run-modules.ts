import type { CompiledPipeline } from '../config/compile.ts';
import type { PipelineSpec } from '../config/spec.ts';
import type { Log, Notices } from '../connectors/connector.ts';
import type { Clock } from '../engine/clock.ts';
import type { Backlog, Load } from '../engine/parallel/scaling.ts';
import type { EngineParts } from '../engine/ports.ts';
import type { FormatDef } from '../formats/format.ts';
import type { StateOptions } from '../state/open.ts';
import type { StateStore } from '../state/store.ts';
import type { Io, Parsed } from './command.ts';
import type { LogChoice } from './log-choice.ts';
import type { SampleLog } from './run-topics.ts';

/** What `run` is put together from; loaded when it is needed, replaced in tests. */
export interface RunModules {
  /** Pipelines of the command's arguments, compiled. Throws PipeErrors with all problems of all files. */
  load(p: Parsed, io: Io): Promise<readonly CompiledPipeline[]>;
  /** Not opened yet. `data` is the data folder, `spec` gives the client settings. */
  log(choice: LogChoice, data: string, spec: PipelineSpec, notices: Notices): Promise<Log & Partial<SampleLog>>;
  store(o: StateOptions): StateStore;
  readonly formats: { find(name: string): FormatDef | undefined };
  readonly engine: EngineParts;
  readonly clock: Clock;
  /** Tells when a backlog is worth several threads. */
  readonly scaling: (began: Load) => Backlog;
  /** The built file that worker threads run. */
  readonly worker: URL;
}
