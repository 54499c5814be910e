import type { CompiledPipeline } from '../../config/compile.ts';
import type { Log } from '../../connectors/connector.ts';
import { PipeError } from '../../errors.ts';
import { DeadLetterFile } from '../../state/dead-letter-file.ts';
import type { Letter } from './letter.ts';
import { deadLetterTopics, topicLetters } from './topic.ts';

/** A pipeline on the log that `run` would choose. */
export interface Place {
  readonly compiled: CompiledPipeline;
  readonly log: Log;
  /** The state file, which may be missing. */
  readonly state: string;
}

/** The dead letters of a pipeline: first those of the table, then those of its topics. */
export class Letters {
  readonly #place: Place;
  readonly #signal: AbortSignal;
  readonly #file: DeadLetterFile | null;

  /** Throws user.usage.bad_value where the pipeline has never run, and system.state.* for a state that cannot be read. */
  static async open(place: Place, signal: AbortSignal): Promise<Letters> {
    const letters = await Letters.find(place, signal);
    if (letters !== null) return letters;
    const { compiled: { spec }, log, state } = place;
    throw new PipeError('user.usage.bad_value', `pipeline "${spec.name}" has no state at ${state}`, { hint: `it has some once it has run on the ${log.label}: pipe run; --data-dir and --brokers choose as there` });
  }

  /** Null where the pipeline has never run. Throws system.state.* for a state that cannot be read. */
  static async find(place: Place, signal: AbortSignal): Promise<Letters | null> {
    const file = DeadLetterFile.find(place.state);
    return file === null && (await deadLetterTopics(place.compiled.spec, place.log)).length === 0 ? null : new Letters(place, signal, file);
  }

  private constructor(place: Place, signal: AbortSignal, file: DeadLetterFile | null) {
    this.#place = place;
    this.#signal = signal;
    this.#file = file;
  }

  async *all(): AsyncGenerator<Letter> {
    if (this.#file !== null) for (const l of this.#file.letters()) yield { ...l, ref: String(l.id), mark: null };
    const { compiled: { spec }, log } = this.#place;
    for (const topic of await deadLetterTopics(spec, log)) {
      yield* topicLetters(spec, log, topic, partition => this.#file?.replayed(topic.id, partition) ?? (() => false), this.#signal);
    }
  }

  /** Bytes of the table. */
  bytes(): number { return this.#file?.bytes() ?? 0; }

  close(): void { this.#file?.close(); }
}
