import { of, type Mutant } from './mutant.ts';

const SIM = ['sim/sim'];
const STATE = ['engine/close', 'sim/sim'];

/** Time, positions, windows, state and books. */
export const engine: readonly Mutant[] = [
  ...of('engine/loop.ts', ['engine/loop', 'sim/sim'], [
    ['last commit left out', '    if (this.#changed()) await this.#commit();\n    return ended;\n  }\n\n  /** Notes', '    return ended;\n  }\n\n  /** Notes', 'what came last is lost at a clean stop'],
    ['windows not closed at the end', 'const ended = !signal.aborted && await this.#finish(signal);', 'const ended = !signal.aborted;', 'until-end leaves windows open'],
    ['windows closed by a stop', 'const ended = !signal.aborted && await this.#finish(signal);', 'const ended = await this.#finish(signal);', 'SIGTERM closes windows early'],
    ['records not noted', '      this.#moved = true;\n      this.#records += n;', '      this.#records += n;', 'positions of quiet records are not saved'],
    ['close goes on after a stop', 'while (!this.#p.operators.every(o => o.resume()) && !signal.aborted) {', 'while (!this.#p.operators.every(o => o.resume())) {', 'a large window holds SIGTERM up'],
    ['commit does not settle', 'while (!this.#p.operators.every(o => o.resume()) && !signal.aborted) {', 'while (this.#p.operators.every(o => !o.resume()) && signal.aborted) {', 'rows are pushed into an epoch that is full'],
    ['moved not reset', '    this.#records = 0;\n    this.#moved = false;', '    this.#records = 0;', 'commits go on when there is nothing'],
    ['grows no epoch', 'return !epoch.delivering() && clock.elapsed()', 'return clock.elapsed()', 'a commit waits for a delivery though the epoch has room', 'engine/loop'],
    ['only the first source read', 'return !this.#p.following && this.#p.readers.every(r => r.finished);', 'return !this.#p.following && this.#p.readers.some(r => r.finished);', 'until-end stops when one of two sources is at its end', 'sim/sim'],
  ]),
  ...of('engine/source-reader.ts', ['engine/loop', 'sim/sim'], [
    ['position one ahead', 'next: to < records.length ? (records.offsets[to] as number) : records.next', 'next: to < records.length ? (records.offsets[to] as number) + 1 : records.next', 'a record is skipped where an epoch cuts a batch', 'sim/sim'],
    ['position behind', 'next: to < records.length ? (records.offsets[to] as number) : records.next', 'next: to < records.length ? (records.offsets[to - 1] as number) : records.next', 'a record is read twice', 'sim/sim'],
    ['end not held', 'while (to > 0 && (records.offsets[to - 1] as number) >= partition.end) to--;', '', 'until-end reads what came after its start'],
    ['end one late', '(records.offsets[to - 1] as number) >= partition.end', '(records.offsets[to - 1] as number) > partition.end', 'until-end reads one record more'],
    ['not finished at the end', 'if (next >= partition.end) this.#finish(partition);', 'if (next > partition.end) this.#finish(partition);', 'until-end never ends'],
    ['any partition first', 'if (clock.maxEventTime(f.partition.partition) < clock.maxEventTime(slowest.partition.partition)) slowest = f;', '', 'a fast partition runs ahead', 'engine/loop'],
    ['lead not held', 'if (clock.maxEventTime(p.partition) - slowest > this.#o.lead) this.#paused.add(p.partition);', '', 'a partition runs ahead without limit', 'engine/loop'],
    ['event time not restored', 'this.#add(p, times.get(p) ?? -Infinity)', 'this.#add(p, -Infinity)', 'after a restart event time goes on without what was read before', 'engine/source-reader'],
    ['paused is idle', 'this.#paused.has(partition) ? null : this.source.idleSince(partition)', 'this.source.idleSince(partition)', 'a partition that is left out stops holding the others', 'engine/source-reader'],
    ['records out of order', 'this.#fetched.splice(this.#fetched.indexOf(f), 1)', 'this.#fetched.splice(0, 1)', 'records of one partition are dropped for those of another', 'sim/sim'],
    ['no watermark after a slice', '    if (next >= partition.end) this.#finish(partition);\n    this.#forward();', '    if (next >= partition.end) this.#finish(partition);', 'windows close only when nothing comes', 'sim/sim', 'engine/source-reader'],
  ]),
  ...of('engine/watermark.ts', ['engine/watermark', 'sim/sim'], [
    ['late test after moving on', '      wm[i] = w;\n      const t = events[i] as number;', '      const t = events[i] as number;\n      wm[i] = Math.max(w, Math.min(t - delay, others));', 'a row is judged by itself'],
    ['delay left out', 'const own = t - delay;', 'const own = t;', 'rows within the bound are late'],
    ['others left out', 'const next = own < others ? own : others;', 'const next = own;', 'a fast partition makes the rows of slow ones late'],
    ['watermark goes back', 'let w = Math.max(floor, Math.min(max - delay, others));', 'let w = Math.min(max - delay, others);', 'a partition that is new opens closed windows'],
    ['future at the limit', 'if (t > (stamped < fetched ? stamped : fetched) + maxFuture) {', 'if (t >= (stamped < fetched ? stamped : fetched) + maxFuture) {', 'an event exactly max_future ahead is refused'],
    ['future moves the clock', '        (removed ??= []).push(i);\n', '        (removed ??= []).push(i);\n        if (t > max) max = t;\n', 'one bad clock closes all windows'],
    ['done partition holds', "if (p.state === 'live' && p.max < least) least = p.max;\n      else", "if (p.state !== 'idle' && p.max < least) least = p.max;\n      else", 'a partition at its end holds the others for ever'],
    ['tick beyond the last window', 'lastOpenEnd - 1) : -Infinity', 'Infinity) : -Infinity', 'a quiet minute makes the records after it late'],
    ['idle early', "p.state = now - p.quietFrom >= this.#o.idle ? 'idle' : 'live';", "p.state = 'idle';", 'a partition is idle at once'],
    ['idle not restarted', '    if (p.quietSince !== idleSince) {\n      p.quietSince = idleSince;\n      p.quietFrom = now;\n    }', '    p.quietSince = idleSince;\n    p.quietFrom ||= now;', 'quiet times are added up'],
    ['idle in a replay', "if (!this.#o.following || p.state === 'done') return;", "if (p.state === 'done') return;", 'a replay depends on the clock'],
    ['future by the fetch in a replay', 'const fetched = following ? fetchedAt : Infinity;', 'const fetched = fetchedAt;', 'a replay depends on the clock'],
  ]),
  ...of('engine/pick-rows.ts', ['engine/watermark', 'engine/loop'], [
    ['row before the removed one', 'if (removed[next] === i) next++;', 'if (removed[next] === i + 1) next++;', 'a wrong row is taken out'],
  ]),
  ...of('engine/aggregate.ts', STATE, [
    ['closes one ms late', 'end - 1 <= this.closed)', 'end <= this.closed)', 'a window whose rows are late is still open', 'engine/runtime', 'sim/sim'],
    ['closes without an end', 'finish || (end !== Infinity && end - 1 <= this.closed)', 'finish || end - 1 <= this.closed', 'behind an end of the input groups without a window are sent before the next one', 'engine/close'],
    ['closed forgotten', "if (typeof saved === 'number') this.closed = saved;", '', 'after a restart a closed window opens again', 'sim/sim', 'engine/runtime'],
    ['cut close begins anew', '      pane.emitted = to;\n', '      if (to === total) pane.emitted = to;\n', 'a close that was cut sends groups twice', 'engine/close'],
    ['closed pane kept', '    this.#panes.delete(pane.end);\n', '', 'a window is sent twice'],
    ['closed pane not erased', '    this.#store.closed(pane);\n', '', 'a closed window comes back after a restart'],
    ['close in any order', '.sort((x, y) => x - y)', '.sort((x, y) => y - x)', 'later windows come out first', 'engine/close-order'],
    ['finish does not move on', 'if (last !== null && last - 1 > this.closed) this.closed = last - 1;', '', 'a window that until-end closed opens again', 'engine/runtime'],
    ['watermark before the rows', '    for (const end of this.#due(finish)) {\n', '    if (ms > this.#forwarded) { this.#forwarded = ms; this.#next.watermark(ms); }\n    for (const end of this.#due(finish)) {\n', 'rows of a step are late for the next', 'sim/sim'],
    ['waiting close forgotten', 'if (this.closed > this.#forwarded || this.#due(false).length > 0) this.#waiting', 'if (this.closed < -1) this.#waiting', 'a close that was cut by a crash waits for a newer record', 'engine/close'],
  ]),
  ...of('engine/emit-groups.ts', SIM, [
    ['end sends all groups', '      if (pane.pending !== null && pane.pending[g] === 0) continue;\n', '', 'each end of the input sends groups again that have no new records'],
    ['result NULL as 0', 'if (v === null) empty[i] = 1;\n          else', '', 'an aggregate of nothing is 0', 'sim/sim', 'property/windows'],
  ]),
  ...of('engine/pane.ts', ['engine/pane', 'sim/sim'], [
    ['sent group not saved', '    if (this.dirty[g] === 0) this.touch(g);\n    (this.pending', '    (this.pending', 'that a group was sent at an end of the input is forgotten with the process', 'sim/sim'],
    ['change not noted', '      this.changed[this.changes++] = g;\n', '', 'a group that changed after it was saved is not saved again', 'sim/sim'],
    ['dirty kept', '    this.dirty.fill(0, this.saved, this.groups);\n', '', 'the first change after an epoch is not saved', 'sim/sim'],
    ['saved off by one', '    this.changes = 0;\n    this.saved = this.groups;', '    this.changes = 0;\n    this.saved = this.groups - 1;', 'a group is written twice, once as new', 'engine/close', 'engine/pane'],
    ['equal hash is equal key', 'if (table[2 * place] === hash && this.#has(g, bytes, from, to)) return g;', 'if (table[2 * place] === hash) return g;', 'two keys with one hash are one group', 'engine/pane-keys'],
    ['key length not compared', 'if ((this.keyAt[g + 1] as number) - p !== to - from) return false;', '', 'a key that begins like another is that other', 'engine/pane-keys'],
    ['state not grown', '      bigger.set(column);\n      return bigger;', '      return bigger;', 'groups lose their values when the pane grows', 'engine/pane', 'property/windows'],
  ]),
  ...of('engine/group-store.ts', STATE, [
    ['pending forgotten', 'if (p.pending !== null) p.pending[g] = row[rest] as number;', '', 'groups that were to be sent at the end of the input when the process was killed are not sent', 'sim/sim'],
    ['closed panes stay', '    for (const pane of this.#erase) this.#delete(tx, pane);\n', '', 'closed windows come back after a restart'],
    ['new groups only', 'for (let i = 0; i < pane.changes; i++) if ((pane.changed[i] as number) >= first) groups.push(pane.changed[i] as number);', '', 'changes of saved groups are not saved', 'sim/sim'],
    ['saved groups only', 'for (let g = Math.max(first, pane.saved); g < pane.groups; g++) groups.push(g);', '', 'new groups are not saved'],
    ['shape not compared', 'if (this.#savedShape === this.#shape) return;', 'return;', 'state of other SQL is taken over', 'engine/close'],
    ['pieces of a pane numbered anew', 'this.#lane, pane.chunks++, to - from', 'this.#lane, pane.chunks, to - from', 'a piece takes the place of the one before', 'sim/sim'],
    ['loaded pane not saved', "      p.stored = 'rows';\n      p.saved = p.groups;", '      p.saved = p.groups;', 'a restored window is never erased', 'sim/sim'],
    ['emitted groups written', 'const groups = pane.emitted > 0 && pane.end !== Infinity ? this.#saveCut(tx, pane) : changedGroups(pane, 0);', 'const groups = changedGroups(pane, 0);', 'groups that are out come back after a crash in a close', 'engine/close'],
    ['pane not clean', '      pane.clean();\n', '', 'every epoch writes all groups', 'engine/close-order'],
  ]),
  ...of('engine/pane-chunk.ts', ['engine/pane', 'engine/close', 'sim/sim'], [
    ['crc of a piece not checked', '|| crc32(b.subarray(8)) !== b.readUInt32LE(4)', '', 'a damaged piece gives wrong sums', 'engine/pane'],
    ['changed groups left', 'for (let i = 0; i < m; i++) column[ints[i] as number] = values[i] as number;', '', 'changes of packed groups are lost'],
    ['emitted forgotten', '  pane.emitted = pane.pending === null ? emitted : 0;\n', '', 'a close that was cut sends groups twice', 'engine/close'],
    ['emitted without a window', 'pane.pending === null ? emitted : 0', 'emitted', 'groups that were out before a close was cut are not sent again when they change', 'engine/close'],
    ['texts and sets left', '(others[next++] as unknown[]).forEach((v, i) => { column[group(i)] = load(v); });', '', 'sets of a packed window are empty after a restart'],
    ['key ends', '(pane.keyAt[from + g + 1] as number) - keyFrom', '(pane.keyAt[from + g] as number) - keyFrom', 'packed groups have the keys of others'],
  ]),
  ...of('engine/outbox.ts', ['sim/sim'], [
    ['too large is sent', 'if (builder.size > MAX_OUTPUT_BYTES) throw tooLarge(builder);', '', 'a broker refuses the epoch for ever', 'engine/outbox'],
    ['failed row half written', '    this.#open?.cancel();\n', '', 'a row that failed leaves half a record', 'engine/outbox'],
    ['one partition', 'from < 0 ? queue.next() : queue.ofKey(key, from, to)', 'from < 0 ? queue.next() : queue.next()', 'rows of one key go to several partitions'],
    ['rows not counted', '    this.#written++;\n', '', 'rows out are not counted'],
  ]),
  ...of('engine/block-queue.ts', ['engine/block', 'sim/sim'], [
    ['open block left', 'for (let p = 0; p < this.#builders.length; p++) if (this.builder(p).rows > 0) this.#cut(p);', '', 'rows of small epochs never leave'],
    ['taken twice', '    this.#full = [];\n', '', 'rows are sent with every epoch again'],
    ['turn beyond', 'this.#turn = p + 1 === this.#builders.length ? 0 : p + 1;', 'this.#turn = p + 1;', 'a row goes to a partition that is not there'],
  ]),
  ...of('engine/block.ts', ['engine/block'], [
    ['crc of a block not checked', "if (checksum(data) !== data.readUInt32LE(CRC_AT)) throw bad('its checksum is wrong');", '', 'a flipped bit goes unnoticed'],
    ['offsets from 0', 'offsets[i] = offset;', 'offsets[i] = i;', 'all blocks begin at offset 0', 'engine/block', 'log/embedded'],
    ['next off by one', 'next: base + rows, headers', 'next: base + rows - 1, headers', 'the last record of a block is read twice', 'log/embedded', 'engine/block'],
    ['blocks as one', 'd.byteOffset - first.byteOffset === starts[k]', 'true', 'blocks of one memory that do not lie side by side are taken for one', 'engine/block', 'log/packed'],
    ['older layout at its own place', 'p < 0 ? -1 : p + at', 'p', 'records of the older layout lie elsewhere', 'engine/block'],
  ]),
  ...of('engine/block-builder.ts', ['engine/block', 'sim/sim'], [
    ['null key as empty', "      buf[p++] = 1;\n      this.#keyBytes = 0;", "      buf[p++] = 0;\n      this.#keyBytes = 0;", 'a record without key has an empty one', 'engine/block'],
    ['builder not reset', '    block.writeUInt32LE(checksum(block), CRC_AT);\n    this.reset();', '    block.writeUInt32LE(checksum(block), CRC_AT);', 'the next block begins with the rows of the last'],
  ]),
  ...of('engine/accounting.ts', SIM, [
    ['totals forgotten', '[name, n + (this.#before.get(name) ?? 0)]', '[name, n]', 'counters begin anew with each process'],
    ['letters taken twice', '    this.#letters = [];\n', '', 'dead letters are saved with every epoch again'],
    ['late not kept', "    this.#row('late', this.#sourceOf(operator, b), operator, b, i, 'user.data.late', 'all windows of the row are closed', null);\n", '', 'late rows vanish'],
    ['late not counted', '    this.#run.late++;\n', '', 'late rows are not counted', 'engine/accounting'],
    ['letters not copied', 'const value = r.value === null ? null : Buffer.from(r.value.subarray(0, DEAD_VALUE_BYTES));', 'const value = r.value === null ? null : r.value.subarray(0, DEAD_VALUE_BYTES);', 'dead letters hold the bytes of later records', 'engine/accounting'],
    ['skip keeps', "    if (policy === 'skip') return;\n", '', 'on_error: skip fills the table'],
    ['late stops', "if (policy === 'stop' && (reason === 'undecodable' || reason === 'failed')) {", "if (policy === 'stop') {", 'a late row stops a pipeline', 'engine/accounting'],
    ['partition -1', 'if (b.origin !== null) this.#put(', 'if (b.origin === null) this.#put(', 'a dead letter does not say where its record is'],
  ]),
  ...of('engine/bad-records.ts', ['engine/bad-records'], [
    ['judged too early', 'if (this.#bad === 0 || read < ENOUGH) return;', 'if (this.#bad === 0) return;', 'the first bad record stops a pipeline with max_bad'],
    ['share at the limit', 'this.#limit !== null && share > this.#limit', 'this.#limit !== null && share >= this.#limit', 'exactly max_bad stops'],
  ]),
  ...of('engine/stage.ts', ['codegen/differential', 'sim/sim'], [
    ['watermarks of other rows', 'this.#wm[i] = b.wm[rows[i] as number] as number;', 'this.#wm[i] = b.wm[i] as number;', 'after a filter rows are judged by the watermark of others', 'engine/stage'],
    ['origin of other rows', 'this.#origin[i] = b.origin.rows[rows[i] as number] as number;', 'this.#origin[i] = b.origin.rows[i] as number;', 'a dead letter is another record than the one that failed', 'engine/stage'],
  ]),
  ...of('engine/context.ts', ['engine/context'], [
    ['memory without limit', 'if (n <= 0 || this.used <= this.#limit || this.disk !== null) return;', 'return;', 'state grows beyond settings.memory'],
  ]),
  ...of('engine/watermark.ts', ['engine/watermark'], [
    ['quiet begins anew', 'if (!handedOn) p.quietFrom = now;', 'p.quietFrom = now;', 'each time that threads come or go, idle partitions hold the watermark again'],
  ]),
  ...of('engine/parallel/scaling.ts', ['engine/scaling'], [
    ['rate of quiet hours', 'if (l.lag === 0) this.#looks = [];', '', 'a burst behind a quiet hour begins threads'],
    ['stall', '>= rate / 2 ? rate : 0', '> -1 ? rate : 0', 'a broker that goes away begins threads'],
    ['nothing to share', 'rate > 0 && ', '', 'a pipeline that waits begins threads'],
    ['back at the first look', 'this.#little >= LOOKS', 'this.#little > 0', 'threads end whenever little is left for a moment'],
    ['large state moved', 'l.keys <= MOST_KEYS && ', '', 'a million keys cross over for a gain of seconds'],
  ]),
  ...of('engine/parallel/mapper.ts', ['property/workers'], [
    ['records of reports not kept', 'this.notes.any || mapped.parts.some(list => list.length > 0)', 'false', 'a dead letter is made of memory that was given back'],
  ]),
  ...of('engine/runtime.ts', ['property/workers', 'e2e/memory'], [
    ['ended by a turn', 'if (ended || signal.aborted) return ended;', 'return ended;', 'a run stops where threads are to begin'],
  ]),
  // what runs in other threads is built, and is not changed here
  ...of('engine/parallel/loop.ts', ['cases/workers'], [
    ['late rows folded', 'return ends.some(end => end - 1 <= watermark);', 'return false;', 'rows that are late count where worker threads fold them'],
    ['commit behind a failure', 'if (this.#failure !== null) return;', '', 'a row that failed is not there in the next run', 'e2e/failed-close'],
    ['folded before their time', 'watermarkAt(clock.before(partition), max)', '-Infinity', 'rows count that are late because of others of their slice'],
  ]),
];
