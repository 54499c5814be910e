import { of, type Mutant } from './mutant.ts';

const SIM = ['sim/sim'];

/** The epoch protocol: what is committed, sent, marked and fenced, and when. */
export const epochs: readonly Mutant[] = [
  ...of('engine/checkpoint.ts', SIM, [
    ['send before the commit', "    failpoint('commit.before');\n", '    if (out.length > 0) { this.#offsets = byTopic(e.positions); this.#send(out); await this.#sending; }\n', 'output is out before the state is durable'],
    ['no wait for the delivery', '    await this.#sending;\n    const out', '    const out', 'two epochs are on their way at once'],
    ['epoch not raised', '    this.#epoch++;\n', '', 'every epoch has the same number'],
    ['delivery not noted', '      this.#delivered = this.#epoch;\n', '', 'the state does not say which epoch had output'],
    ['delivered without output', '    if (out.length > 0) {\n      this.#delivered', '    if (out.length >= 0) {\n      this.#delivered', 'an epoch without output counts as a delivery'],
    ['outbox not saved', 'deadLetters: this.#accounting.takeDeadLetters(), out,', 'deadLetters: this.#accounting.takeDeadLetters(), out: [],', 'output that was not delivered before a crash is lost'],
    ['dead-letter blocks left', 'const out = [...this.#outbox.take(), ...this.#accounting.takeBlocks()];', 'const out = [...this.#outbox.take()];', 'records for a dead-letter topic never leave'],
    ['outbox kept by a clean stop', "    this.#store.clearOutbox();\n    failpoint('drain.after');", "    failpoint('drain.after');", 'a clean stop leaves an outbox'],
    ['error of a delivery lost', '      this.#failed = true;\n      throw error;', '      this.#failed = true;', 'a delivery that failed for good is passed over', 'engine/checkpoint', 'sim/sim'],
    ['positions never owed', '    this.#owed = true;\n', '', 'positions of epochs without output do not reach the log', 'sim/sim'],
  ]),
  ...of('engine/recovery.ts', SIM, [
    ['never resend', 'if (last !== null) return last < saved.delivery;', 'if (last !== null) return false;', 'an epoch that was not delivered is forgotten'],
    ['resend nothing without marker', 'if (deliveries(saved) <= 1) return true;', 'if (deliveries(saved) <= 1) return false;', 'a first epoch that never arrived is forgotten'],
    ['higher position of two sources', 'Math.min(p.next, partitions.get(p.partition) ?? Infinity)', 'Math.max(p.next, partitions.get(p.partition) ?? 0)', 'the log is told a position that one of two sources has not reached', 'engine/checkpoint'],
  ]),
  ...of('connectors/kafka/delivery.ts', SIM, [
    ['epoch not recognised', 'return e.blocks.length > 0 && e.number <= this.#epoch;', 'return e.blocks.length > 0 && e.number < this.#epoch;', 'an epoch whose answer was lost is sent again'],
    ['owner not looked at', '    this.#checkOwner(await this.#read(false));\n    await this.#transactions.fence();\n', '    await this.#transactions.fence();\n', 'a process that was replaced fences the new one'],
    ['owner not looked at after the fence', '    this.#checkOwner(now);\n', '', 'what another process has delivered is taken for ours'],
    ['marker not read after the fence', '    this.#epoch = now.epoch;\n', '', 'an epoch that got through before the fence is sent again'],
    ['half a reclaim', '        this.#unsure = true;\n', '', 'a fence whose marker could not be read counts as certainty'],
    ['no check at start', '        this.#seen.check(lastDelivery, owed);\n', '', 'what was delivered between the look and the fence is sent again by an older copy of the state'],
    ['marker of nothing', 'return this.#epoch === 0 ? null : this.#epoch;', 'return null;', 'a delivered epoch looks as if it never was', 'sim/sim'],
    ['error passed over', "    if (!lost && !isPassing(error)) throw explained(", "    if (!lost && isPassing(error)) throw explained(", 'what a retry cures ends the pipeline'],
  ]),
  ...of('connectors/kafka/transaction.ts', SIM, [
    ['no fence', '    this.#identity = { transactionalId: this.#name, producerId, epoch };\n', '    this.#identity = { transactionalId: this.#name, producerId, epoch: 0 };\n', 'the epoch of the producer is not raised'],
    ['aborted instead of committed', 'this.#ending(p, true)', 'this.#ending(p, false)', 'the transaction is thrown away'],
    ['answers not waited for', "for (const r of results) if (r.status === 'rejected') throw r.reason;", '', 'half of an epoch is committed'],
    ['offsets not sent', 'await Promise.allSettled([this.#records(p, items), this.#offsets(p, offsets, metadata)])', 'await Promise.allSettled([this.#records(p, items)])', 'rows without their marker'],
    ['offsets not joined', "    if (!this.#second) await this.#ask('transaction', addOffsetsRequest(p, this.#name));\n", '', 'offsets are committed outside of the transaction'],
    ['partitions not joined', "    if (!this.#second) await this.#ask('transaction', addPartitionsRequest(p, partitionsOf(items)));\n", '', 'records are sent outside of the transaction'],
    ['one partition a topic', '[...new Set(list.map(b => b.partition))]', '[(list[0] as OutBlock).partition]', 'a transaction does not name all of its partitions'],
    ['concurrent transaction is an error', "if (error.is('CONCURRENT_TRANSACTIONS') || (", "if (error.is('CONCURRENT_TRANSACTIONS')) throw new Error('concurrent');\n        if ((", 'the transaction before is not waited for'],
    ['lost connection waited for', 'if (!(error instanceof KafkaError) || !isPassing(error)', 'if (!isPassing(error)', 'a request of unknown outcome is sent again under the same epoch'],
    ['not waited until readable', '    if (this.#committed) await this.#within(READABLE_MS, this.#readable());\n', '', 'who reads to the end after a process has ended misses its last rows'],
    ['decided is readable', "if (error === 0 && state !== 'PrepareCommit') return;", 'if (error === 0) return;', 'a transaction that is decided is taken for one that can be read'],
  ]),
  ...of('connectors/kafka/marker.ts', SIM, [
    ['marker not compared', '    if (this.epoch > lastDelivery) {', '    if (this.epoch > lastDelivery + 1e9) {', 'an older copy of the state goes on'],
    ['marker compared too strictly', '    if (this.epoch > lastDelivery) {', '    if (this.epoch >= lastDelivery) {', 'a state that is right is refused'],
    ['epoch of another state', 'm.s === this.#o.stateId && m.e > e ? m.e : e', 'm.e > e ? m.e : e', 'the epochs of a state that was reset count', 'kafka/marker'],
    ['foreign state accepted', "return this.#marks.some(m => m.s !== this.#o.stateId);", 'return false;', 'two state files deliver for one pipeline', 'kafka/marker'],
    ['partitions of before forgotten', 'for (const { topic, partition, offset } of before) {', 'for (const { topic, partition, offset } of before.slice(0, 0)) {', 'a source that was taken out keeps the marker of before', 'kafka/marker'],
    ['partition that is gone is marked', 'if (known === null || !known.partitions.some(p => p.partition === partition)) continue;', '', 'a topic that was deleted stops the pipeline', 'kafka/marker'],
    ['damaged marker', "return typeof e === 'number' && typeof s === 'string' && typeof r === 'string' ? { e, s, r } : null;", 'return { e: e ?? 0, s: s as string, r: r as string };', "another client's metadata is taken for a marker", 'kafka/marker'],
    ['prefix left out', '`${o.idPrefix}pipe-${o.pipeline}`', '`pipe-${o.pipeline}`', 'two teams fence each other', 'kafka/marker'],
  ]),
  ...of('connectors/kafka/producer.ts', ['kafka/batch-writer', 'sim/sim'], [
    ['sequence not raised', "this.#sequences.set(name, nextSequence(this.#sequences.get(name) ?? 0, records));", '', 'the second batch of a partition is taken for the first'],
    ['sequences kept', '    this.#sequences.clear();\n', '', 'a new producer goes on with the old sequence'],
    ['generation kept', '    this.#generation++;\n', '', 'a batch of the producer before is sent under its name', 'kafka/batch-writer'],
    ['duplicate is an error', 'if (error === 0 || error === errors.DUPLICATE_SEQUENCE_NUMBER)', 'if (error === 0)', 'a batch that arrived twice stops the pipeline', 'kafka/batch-writer'],
    ['block dropped', '    q.blocks.shift();\n', '    q.blocks.length = 0;\n', 'further blocks of a partition are lost', 'kafka/batch-writer'],
    ['large block cut short', 'if (q.opened !== null && q.row < q.opened.length) return;', '', 'of a block in parts only the first is sent', 'kafka/batch-writer'],
    ['refused batch passed over', 'else failure ??= new KafkaError(error, `write to ${topic}/${partition}`);', '', 'an error of one partition is not noticed', 'kafka/batch-writer'],
  ]),
  ...of('connectors/kafka/retry.ts', ['kafka/retry'], [
    ['no new look', '    this.#cluster.forget();\n', '', 'a leader that moved is asked for ever'],
  ]),
  ...of('connectors/kafka/record-batch-decode.ts', ['kafka/batches', 'sim/sim'], [
    ['record before the position', 'if (offset >= from) row++;', 'row++;', 'records of a batch are read twice', 'kafka/decode-control', 'sim/sim'],
  ]),
  ...of('connectors/kafka/record-batch-walk.ts', ['kafka/decode-control'], [
    ['crc of a batch not checked', "if (crc32c(fetched, at + ATTRIBUTES_AT, end) !== fetched.readUInt32BE(at + CRC_AT)) throw bad(base, 'its checksum is wrong');", '', 'a flipped bit goes unnoticed', 'kafka/batches'],
    ['crc of a batch that is left out', 'else if (!checked) checkSum(fetched, at, end, base, bad);', '', 'a flipped bit makes a batch one of an aborted transaction', 'kafka/pack'],
    ['aborted records given out', 'dead.has(fetched.readBigInt64BE(at + PRODUCER_ID_AT))', 'dead.has(-5n)', 'records of aborted transactions are read', 'sim/sim'],
    ['abort never ends', 'if (control && isAbortMarker(fetched, at + RECORDS_AT, end)) dead.delete(fetched.readBigInt64BE(at + PRODUCER_ID_AT));', '', 'what a producer writes after an abort is lost'],
    ['abort begins one batch early', '(open[begun] as AbortedTransaction).firstOffset <= last', '(open[begun] as AbortedTransaction).firstOffset <= last + 1', 'the last batch before an aborted transaction is lost'],
    ['position behind control batches', 'next = Math.max(next, last + 1);', 'if (!control) next = Math.max(next, last + 1);', 'until-end waits for ever for the end'],
  ]),
  ...of('connectors/kafka/pack.ts', ['kafka/pack'], [
    ['packed though read in part', 'first.base < from || ', '', 'records before the position are counted again'],
    ['packed over what is left out', 'run.at(-1)?.end !== b.at || ', '', 'records of aborted transactions are read by worker threads'],
    ['packed position', 'runs[i + 1]?.[0]?.base ?? next', 'next', 'a position moves beyond records that are not read yet'],
  ]),
  ...of('connectors/kafka/record-batch-encode.ts', ['kafka/batch-writer', 'sim/sim'], [
    ['not transactional', 'p.transactional ? TRANSACTIONAL : 0', '0', 'records are visible before their transaction is decided'],
    ['last offset', 'b.writeInt32BE(count - 1, LAST_DELTA_AT);', 'b.writeInt32BE(count, LAST_DELTA_AT);', 'a batch says that it is longer than it is', 'kafka/batch-writer'],
    ['sequence wraps late', 's > 0x7fffffff - n ? n - (0x7fffffff - s) - 1 : s + n', 's + n', 'after 2^31 records a partition takes no more', 'kafka/batch-writer'],
  ]),
  ...of('connectors/kafka/partition-state.ts', ['kafka/partition-state'], [
    ['open transaction is idle', 'f.lastStable !== f.highWatermark', 'false', 'event time goes on while a transaction is open'],
    ['backlog is idle', 'this.position !== f.lastStable || ', '', 'event time goes on with records waiting'],
    ['outage is idle', 'now - this.#answeredAt > BREAK_MS ? null : this.#idleSince;', 'this.#idleSince;', 'event time goes on while brokers are away'],
    ['idle since the outage', 'this.#idleSince === null || now - this.#answeredAt > BREAK_MS', 'this.#idleSince === null', 'the time of an outage counts as quiet'],
    ['disturbed stays idle', 'disturbed(): void { this.#idleSince = null; }', 'disturbed(): void {}', 'a paused partition is idle'],
  ]),
  ...of('connectors/kafka/frames.ts', ['kafka/frames'], [
    ['no more room', 'this.#body.set(body);', '', 'a long response begins with what lay there'],
    ['any length', 'if (length < HEAD_BYTES || length > MOST_BYTES) {', 'if (length < 0) {', 'a web server is waited for'],
  ]),
  ...of('connectors/kafka/response-memory.ts', ['kafka/frames'], [
    ['given back early', 'if (--kept === 0)', 'if (--kept <= 1)', 'a response is overwritten while a part of it is read', 'kafka/frames', 'sim/sim'],
    ['given back twice', '          open = false;\n', '', 'two responses lie in the same memory'],
    ['any size fits', 'b => b.length >= bytes', 'b => b.length > 0', 'a response is longer than its memory'],
  ]),
  ...of('connectors/kafka/source.ts', SIM, [
    ['lent for a moment', 'const taken = this.#given = this.#take(paused);', 'const taken = this.#take(paused);\n      for (const { fetched } of taken) fetched.release();', 'records are overwritten while they are read'],
  ]),
  ...of('connectors/shared-source.ts', ['log/shared-source'], [
    ['bytes not kept', '    data: Buffer.from(b.data),\n', '', 'who is left behind reads what came later'],
  ]),
  ...of('engine/shared-scan.ts', ['engine/shared-scan'], [
    ['scan of other memory', ' && slice.data === records.data', '', 'who is left behind takes texts that were overwritten'],
  ]),
  ...of('engine/records.ts', ['log/shared-source'], [
    ['count believed', 'if (r.length === length) return r;', 'if (r.length >= 0) return r;', 'records that a log does not know of are counted', 'log/packed'],
    ['parts not kept', '(p.place === undefined ? { ...p, data: Buffer.from(p.data) } : p)', 'p', 'who is left behind opens what came later'],
  ]),
  ...of('connectors/kafka/positions.ts', ['kafka/positions'], [
    ['lost records passed over', "if (o.onDataLoss === 'stop') {\n    throw new PipeError('system.source.offset_lost', what, { hint: ON_DATA_LOSS });\n  }\n  notices.warn(`${what}; going on at offset ${begin} (on_data_loss: earliest)`);\n  return begin;\n}\n\n/** The same", "notices.warn(`${what}; going on at offset ${begin} (on_data_loss: earliest)`);\n  return begin;\n}\n\n/** The same", 'records that retention removed are skipped'],
    ['lost off by one', 'position < first ? lost(', 'position <= first ? lost(', 'a position at the beginning counts as lost'],
    ['beyond the end', 'if (position > high) return', 'if (position > high + 1e9) return', 'a topic that became shorter is not noticed'],
    ['latest on a restart', "!fresh || o.from === 'earliest' ? first", "o.from === 'earliest' ? first", 'a partition that is new since the last run begins at its end'],
    ['time of no record', "o.from === 'latest' || timed < 0 ? last : timed", "o.from === 'latest' ? last : timed", 'a start beyond the last record begins at -1'],
  ]),
];
