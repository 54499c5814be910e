import { of, type Mutant } from './mutant.ts';

/** What tests of pipelines compare, and the log, state and time that they run on. */
export const testing: readonly Mutant[] = [
  ...of('testing/compare.ts', ['testing/command'], [
    ['columns of the row only', 'if (received.get(name) !== value) return false;', 'if (received.has(name) && received.get(name) !== value) return false;', 'a column that did not come counts as equal', 'testing/compare'],
    ['first that fits', 'if (other !== null && (expected.length > MANY || !place(other, tried))) continue;', 'if (other !== null) continue;', 'a row with few columns takes the row of another'],
    ['unexpected rows forgotten', 'return [...diffs, ...left.filter(r => !used.has(r))', 'return [...diffs, ...left.filter(() => false)', 'rows that nobody expects pass', 'testing/steps'],
    ['order not looked at', 'const pairs = ordered ? inOrder', 'const pairs = !ordered ? inOrder', 'ordered: true compares in any order'],
    ['least alike first', 'b.score - a.score ||', 'a.score - b.score ||', 'rows are shown beside those that are least alike'],
  ]),
  ...of('testing/run-test.ts', ['testing/command', 'testing/steps'], [
    ['rows looked at again', 'this.#seen.set(sink, written.length);', 'this.#seen.set(sink, 0);', 'a step sees rows of before', 'testing/steps'],
    ['bad rows pass', '    this.#rest();\n', '', 'a record that became no row passes without a word'],
    ['late as a dead letter', "if (code !== 'user.data.late') this.#count(code", 'this.#count(code', 'late rows are counted twice', 'testing/steps', 'testing/command'],
    ['any problem will do', 'problems.some(p => p.code === expected.code)) return;', 'problems.length > 0) return;', 'another error than the expected one passes', 'testing/command'],
    ['no problem will do', "    if (error !== null) this.failures.push({ k: 'error', span: error.span, expected: error.code, problems: [] });\n", '', 'an error that is expected need not come'],
  ]),
  ...of('testing/harness.ts', ['testing/steps'], [
    ['idle is for all', '(t, p) => t !== topic || (partition !== null && p !== partition)', '() => false', 'idle makes every partition idle'],
    ['idle is for the topic', '|| (partition !== null && p !== partition)', '', 'one partition cannot be idle alone'],
    ['time stands', '      this.clock.pass(Math.min(piece, left));\n', '', 'advance does nothing'],
    ['restart goes on', '    await this.follow();\n    await this.#stop();\n    await this.follow();', '    await this.follow();', 'restart does not stop the pipeline'],
    ['windows stay open', "    const runtime = this.#runtime(false);", '    const runtime = this.#runtime(true);\n    return;', 'the end of a test closes no window', 'testing/command'],
  ]),
  ...of('connectors/memory/source.ts', ['testing/steps'], [
    ['positions forgotten', 'o.positions.get(p) ?? (', '(', 'a restart reads all records again'],
  ]),
  ...of('testing/probes.ts', ['testing/coverage'], [
    ['NULL counts as false', 'v === null ? unknown : v === true ? yes : no', 'v === true ? yes : no', 'a condition that was NULL counts as false'],
    ['branches seen at once', '() => { note.reached = true; });', '() => undefined);\n        note.reached = true;', 'each branch counts as reached'],
  ]),
  ...of('testing/update.ts', ['testing/update'], [
    ['quotes lost', 'return plain && PLAIN.test(text)', 'return PLAIN.test(text)', 'a text in quotes loses them'],
    ['words of YAML', ' && !NOT_TEXT.test(text)', '', '"no" is written as no'],
  ]),
];
