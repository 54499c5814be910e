export interface Mutant {
  readonly name: string;
  /** From the root. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** What is wrong with it. */
  readonly why: string;
  /** Test files that notice, the quickest first. */
  readonly killedBy: readonly string[];
}

const SIM = 'test/sim/sim.test.ts';

export const mutants: readonly Mutant[] = [
  { name: 'resend always', file: 'src/engine/checkpoint.ts', find: 'if (last !== null) return last < this.#delivered;', replace: 'if (last !== null) return true;', why: 'an epoch that was delivered is sent again', killedBy: [SIM] },
  { name: 'never resend', file: 'src/engine/checkpoint.ts', find: 'if (last !== null) return last < this.#delivered;', replace: 'if (last !== null) return false;', why: 'an epoch that was not delivered is forgotten', killedBy: [SIM] },
  { name: 'send before the commit', file: 'src/engine/checkpoint.ts', find: "    failpoint('commit.before');\n", replace: "    if (out.length > 0) { this.#offsets = byTopic(e.positions); this.#send(out); await this.#sending; }\n", why: 'output is out before the state is durable', killedBy: [SIM] },
  { name: 'no fence', file: 'src/connectors/kafka/transaction.ts', find: '    this.#identity = { transactionalId: this.#name, producerId, epoch };\n', replace: '    this.#identity = { transactionalId: this.#name, producerId, epoch: 0 };\n', why: 'the epoch of the producer is not raised', killedBy: [SIM] },
  { name: 'marker not checked at start', file: 'src/connectors/kafka/marker.ts', find: '    if (this.epoch > lastDelivery) {', replace: '    if (this.epoch > lastDelivery && lastDelivery < 0) {', why: 'an older copy of the state goes on', killedBy: [SIM] },
];
