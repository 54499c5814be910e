import { of, type Mutant } from './mutant.ts';

const SQL = ['functions/examples', 'codegen/differential', 'sim/sim'];

/** SQL values, aggregates, generated code, formats, the state file and the embedded log. */
export const data: readonly Mutant[] = [
  ...of('sql/functions/aggregate/exact-sum.ts', SQL, [
    ['carry kept', '    lo -= carry * CARRY;\n', '', 'large sums count their carry twice', 'functions/sums'],
    ['carry of the wrong sign', 'const carry = lo > 0 ? 1 : -1;', 'const carry = 1;', 'large negative sums are wrong', 'functions/sums'],
    ['carry late', "if (lo >= ${CARRY}) { lo -= ${CARRY};", "if (lo > 2 * ${CARRY}) { lo -= ${CARRY};", 'generated sums are rounded beyond 2^53', 'functions/sums'],
    ['sum of nothing is 0', 'if (lo !== lo) return null;', 'if (lo !== lo) return 0;', 'SUM of NULLs is 0', 'sim/sim'],
    ['hi left out', 'return hi === 0 ? lo : add(BigInt(hi) * BigInt(CARRY), lo);', 'return lo;', 'large sums lose their upper half', 'functions/sums'],
  ]),
  ...of('sql/functions/aggregate/extreme.ts', SQL, [
    ['MIN keeps the first', "!(sign < 0 ? v <= (x as number) : v >= (x as number))", '!(v === v)', 'MIN and MAX are the first value', 'functions/examples', 'property/windows'],
    ['MAX as MIN', "const keep = sign < 0 ? '<=' : '>=';", "const keep = '<=';", 'generated MAX is the least value', 'sim/sim'],
    ['empty is 0', 'return v === v ? v : null;', 'return v === v ? v : 0;', 'MIN of nothing is 0', 'sim/sim'],
    ['truthiness as a NULL test', 'if (v === null || order(x as Value, v) * sign > 0)', 'if (!v || order(x as Value, v) * sign > 0)', 'MIN(0, 5) of wide numbers is 5', 'functions/sums'],
  ]),
  ...of('sql/functions/aggregate/distinct.ts', SQL, [
    ['not distinct', 'if (seen.size > before) fn.add(', 'fn.add(', 'COUNT(DISTINCT) counts all', 'functions/examples', 'sim/sim'],
    ['set not restored', 'new Set((JSON.parse(v as string) as Value[]).map(', 'new Set((JSON.parse(v as string) as Value[]).slice(1).map(', 'a value of before a restart counts again', 'sim/sim'],
  ]),
  ...of('sql/functions/aggregate/count.ts', SQL, [
    ['count by two', "addJs: s => `${s['']}++;`", "addJs: s => `${s['']} += 2;`", 'generated COUNT is wrong', 'sim/sim', 'codegen/differential'],
  ]),
  ...of('sql/functions/aggregate/sum.ts', SQL, [
    ['overflow not checked', 'throw tooLarge(returns);', 'return v;', 'a sum beyond BIGINT is given out', 'functions/sums'],
    ['NaN not replaced', "column[g] = v === v ? v + (x as number) : (x as number);\n    },\n    addJs", "column[g] = v + (x as number);\n    },\n    addJs", 'interpreted DOUBLE sums are NaN', 'functions/examples', 'codegen/differential'],
  ]),
  ...of('sql/windows/tumble.ts', ['property/windows', 'sim/sim'], [
    ['truncated', 'Math.floor(t / size) * size + size', 'Math.trunc(t / size) * size + size', 'rows before 1970 are in the wrong window', 'functions/windows'],
    ['window of size + 1', 'body(e - (size as number), e);', 'body(e - (size as number), e + 1);', 'interpreted windows end one ms late'],
  ]),
  ...of('sql/windows/hop.ts', ['property/windows', 'sim/sim'], [
    ['oldest window left', 'let s = newest - (size as number) + (slide as number); s <= newest', 'let s = newest - (size as number) + 2 * (slide as number); s <= newest', 'a row is in one window less'],
    ['newest window left', 'ws <= wn; ws +=', 'ws < wn; ws +=', 'generated code leaves out the newest window'],
  ]),
  ...of('codegen/aggregate.ts', ['engine/runtime', 'sim/sim'], [
    ['late one ms early', 'if (${newest} - 1 <= at) { h.late(b, i); continue; }', 'if (${newest} - 2 <= at) { h.late(b, i); continue; }', 'the last ms of a window is late', 'sim/sim', 'functions/windows'],
    ['late at the end', 'if (${newest} - 1 <= at) { h.late(b, i); continue; }', 'if (${newest} - 1 < at) { h.late(b, i); continue; }', 'a row opens a window that has just closed', 'functions/windows', 'sim/sim'],
    ['watermark of the batch', "const at = wm[i] > closed ? wm[i] : closed;", "const at = closed;", 'late rows are judged by the batch', 'engine/runtime', 'sim/sim'],
    ['NULL folded', '...args.flatMap(x => (x.n === null ? [] : [`!${x.n}`]))', '', 'NULLs count in aggregates', 'sim/sim', 'codegen/differential'],
    ['filter of NULL', 'if (!(${e.test(filter)})) { filtered++; continue; }', 'if (!(${e.emit(filter).v})) { filtered++; continue; }', 'WHERE takes rows for which it is NULL', 'engine/stage'],
    ['dirty mark left out', "    w.line('if (pane.dirty[g] === 0) pane.touch(g);');\n", '', 'changes are not saved', 'sim/sim'],
    ['dirty mark left out in closures', '    if (pane.dirty[g] === 0) pane.touch(g);\n', '', 'changes are not saved with --jit=off', 'sim/sim'],
    ['closed window of a hop', 'if (we - 1 > at) {', 'if (we > at) {', 'a row goes into a window of a hop that is closed', 'functions/windows', 'sim/sim'],
    ['closed window of a hop in closures', 'if (end - 1 > watermark) fold(', 'if (end > watermark) fold(', 'the same with --jit=off', 'functions/windows', 'sim/sim'],
    ['NULL in closures', ' || x.includes(null)) return;', ') return;', 'NULLs count with --jit=off', 'codegen/differential', 'sim/sim'],
    ['filtered not counted', "  w.line('if (filtered > 0) h.filtered(filtered);');\n  declareColumns(w, e.used());\n  return { loop: w.compile<AggregateLoop>", "  declareColumns(w, e.used());\n  return { loop: w.compile<AggregateLoop>", 'filtered rows are not counted', 'sim/sim'],
    ['window kept too long', 'if (!(t >= ws && t < we))', 'if (!(t >= ws && t <= we))', 'a row at the end of a window is in it', 'functions/windows', 'sim/sim'],
  ]),
  ...of('codegen/emit.ts', ['codegen/differential'], [
    ['NULL is TRUE', 'return c.n === null ? c.v : `!${c.n} && ${c.v}`;', 'return c.v;', 'a condition that is NULL holds'],
    ['NOT NULL is TRUE', 'return { v: `!${a.v}`, n: a.n };', 'return { v: `!${a.v}`, n: null };', 'NOT of NULL is TRUE'],
  ]),
  ...of('sql/functions/operators/compare.ts', ['codegen/differential', 'functions/values'], [
    ['less or equal', "'<': (a, b) => a < b,", "'<': (a, b) => a <= b,", '< is <='],
    ['symbol', "'>=': '>=' };", "'>=': '>' };", 'generated >= is >'],
    ['NULL not distinct', '(x === null || y === null ? x !== y : differs.fn(x, y))', '(x === null || y === null ? true : differs.fn(x, y))', 'NULL IS DISTINCT FROM NULL', 'functions/operators'],
  ]),
  ...of('sql/values/wide.ts', ['functions/values', 'functions/sums'], [
    ['rounded sum', 'const r = a + b;\n    if (Number.isSafeInteger(r)) return r;', 'return a + b;', 'sums beyond 2^53 are rounded'],
    ['half to even', 'const twice = r < 0n ? -2n * r : 2n * r;', 'const twice = r < 0n ? -2n * r : 2n * r - 1n;', 'halves are rounded down'],
    ['remainder', 'return (a - (a % b)) / b + 0;', 'return Math.floor(a / b) + 0;', 'negative quotients are rounded down'],
  ]),
  ...of('engine/group-key.ts', ['engine/pane', 'property/windows', 'cases/cases'], [
    ['-0 is another key', 'this.#double[0] = v + 0;', 'this.#double[0] = v;', '-0 and 0 are two groups', 'engine/group-key'],
    ['texts run together', 'if (!this.#alone) this.bytes[this.pos++] = END;', '', "('a','bc') and ('ab','c') are one group", 'engine/group-key', 'cases/cases'],
  ]),
  ...of('formats/json/numbers.ts', ['formats/json-decode', 'formats/scan'], [
    ['digits rounded', 'if (count > 16 || m > Number.MAX_SAFE_INTEGER || p >= e) return -1;', 'if (p >= e) return -1;', 'numbers of more than 16 digits are rounded'],
    ['scale', 'const v = n.digits * pow10(scale - n.fraction);\n    if (v >= limit) return -1;\n    cells.numbers', 'const v = n.digits * pow10(scale);\n    if (v >= limit) return -1;\n    cells.numbers', '1.5 is read as 15 times 10^s'],
    ['limit of DECIMAL', '    if (v >= limit) return -1;\n', '', 'a number that is too large for its DECIMAL is taken'],
    ['leading zero', "if (count === 0 || (count > 1 && b[start] === ZERO && !quoted)) return -1;", 'if (count === 0) return -1;', '007 is a number'],
    ['range of INT', '    if (v < min || v > max) return -1;\n    cells.numbers[row] = v;', '    cells.numbers[row] = v;', '300 is a TINYINT'],
    ['minus lost', 'cells.values[row] = n.negative ? 0 - n.digits : n.digits;', 'cells.values[row] = n.digits;', 'negative BIGINTs are positive'],
  ]),
  ...of('state/sqlite.ts', ['state/sqlite'], [
    ['outbox of before kept', "if (this.#hasOutbox) this.#run('DELETE FROM outbox');\n    for", 'for', 'the outbox of an earlier epoch is sent again'],
    ['transaction left open', "if (this.#db.inTransaction) this.#run('ROLLBACK');", '', 'a commit that failed blocks the next'],
    ['epoch not written', `    this.#run("UPDATE meta SET value = ? WHERE key = 'epoch'", BigInt(e.epoch));\n`, '', 'the state says that it is at an earlier epoch'],
    ['delivery not written', `    this.#run("UPDATE meta SET value = ? WHERE key = 'delivery'", BigInt(e.delivery));\n`, '', 'the state does not say what was delivered'],
    ['sixty-fifth row lost', 'for (; rows - done >= n; done += n) (', 'for (; rows - done >= n; done += 64) (', 'rows beyond a multiple of 64 are not written'],
    ['changed table kept', "if (found !== undefined && found[0] !== ddl) this.#dropEmpty(name, spec);", '', 'a table of other columns is written', 'state/sqlite', 'cases/edits'],
    ['lane of pieces', 'lane: Math.floor(seq / LANE_PIECES)', 'lane: 0', 'pieces of two workers run together', 'sim/disk'],
  ]),
  ...of('state/open.ts', ['state/sqlite'], [
    ['rolled back witness', '    witness.check(stateId, epoch, path);\n', '', 'a state that lost its last writes is taken'],
    ['foreign state file', "if (meta.get(key) !== ours) throw", "if (meta.get(key) === undefined) throw", 'the state of another pipeline is taken'],
  ]),
  ...of('state/file.ts', ['state/sqlite'], [
    ['cut file', "if (size % pageSize !== 0) throw corrupt(path, 'it has been cut', what);", '', 'a file that was cut is opened'],
    ['newer file', 'if (layout > LAYOUT) throw', 'if (layout > LAYOUT + 1e6) throw', 'a file of a newer layout is written'],
    ['other application', "if (head.readUInt32BE(68) !== APPLICATION_ID) throw", "if (head.readUInt32BE(68) === 1) throw", 'any SQLite file is taken'],
    ['state that is gone', "if (present(`${path}.epoch`)) throw", "if (present(`${path}.epochs`)) throw", 'a deleted state begins anew without a word'],
    ['witness of the same epoch', 'if (Number(seen) > epoch) {', 'if (Number(seen) >= epoch) {', 'a state that is right is refused'],
  ]),
  ...of('state/lock.ts', ['state/sqlite'], [
    ['no lock', "    db.exec('BEGIN EXCLUSIVE');\n", "    db.exec('BEGIN');\n", 'two processes write one state'],
  ]),
  ...of('connectors/log/delivery.ts', ['log/embedded'], [
    ['dedupe row not compared', 'if (marker !== null && e.number <= marker.epoch) return 0;', '', 'an epoch is appended twice'],
    ['dedupe off by one', 'if (marker !== null && e.number <= marker.epoch) return 0;', 'if (marker !== null && e.number < marker.epoch) return 0;', 'the last epoch is appended twice'],
    ['owner not compared', 'if (marker !== null && marker.ownerId !== this.#o.ownerId) {', 'if (marker !== null && marker.ownerId === null) {', 'two processes append for one pipeline'],
    ['marker not compared', '        if (epoch > lastDelivery) {', '        if (epoch > lastDelivery + 1e9) {', 'an older copy of the state goes on'],
    ['marker not written', '    this.#mark(db, e.number);\n', '', 'an epoch is appended again after a restart'],
    ['owner not marked', '        this.#mark(db, epoch);\n', '', 'the old owner goes on until the next epoch'],
  ]),
  ...of('connectors/log/source.ts', ['log/embedded'], [
    ['paused partition read', 'if (paused.has(p.partition)) { p.idleSince = null; continue; }', '', 'a partition that is left out is read'],
    ['recreated topic', 'if (this.#o.topicId !== null && this.#o.topicId !== topic.id) {', 'if (this.#o.topicId === topic.name) {', 'positions of a deleted topic are used'],
    ['lost offset', 'if (p.next >= first && p.next <= end) return;', 'if (p.next <= end) return;', 'records that retention removed are skipped'],
    ['latest on a restart', "from === 'earliest' || positions.size > 0 ? first", "from === 'earliest' ? first", 'a partition that is new since the last run begins at its end'],
    ['left though read in part', "if (typeof found === 'number' && base >= next) blocks.leave(", "if (typeof found === 'number') blocks.leave(", 'a position within a block is a gap to worker threads', 'log/packed'],
    ['left where loss is allowed', "this.#o.packed === true && this.#o.onDataLoss === 'stop'", 'this.#o.packed === true', 'a run that may go on behind what retention deleted ends', 'log/packed'],
  ]),
  ...of('connectors/log/blocks.ts', ['log/embedded'], [
    ['block from its beginning', 'sliceRecords(b, Math.max(0, from - base), b.length)', 'b', 'records before the position are read again'],
    ['gap passed over', 'if (block.base > next || block.base + records <= next) throw this.#gap();', '', 'records that are missing are skipped'],
    ['left over a gap', 'if (base !== this.next || records <= 0) throw this.#gap();', '', 'worker threads skip records that are missing', 'log/packed'],
  ]),
  ...of('engine/parallel/raw.ts', ['log/packed'], [
    ['parts of what is there', 'lies.parts.every(p => p.place === null)', 'true', 'a slice that is not in memory has no records'],
  ]),
  ...of('connectors/log/append.ts', ['log/embedded'], [
    ['base of a block', '(row[1] as number) - b.rows, b.rows', '(row[1] as number), b.rows', 'blocks stand behind a gap'],
    ['key to any partition', 'if (r.key !== null) return partitionOf(', 'if (r.key === undefined) return partitionOf(', 'records of one key go to several partitions'],
  ]),
  ...of('config/check-groupings.ts', ['cases/ends'], [
    ['groups counted again', '    if (inner !== null) found.push(...refused(rel, inner));\n', '', 'an aggregate over a grouping without a window counts its groups at each end of the input'],
  ]),
];
