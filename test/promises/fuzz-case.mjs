import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { explainMermaid, explainText } from '../../dist/cli/explain-format.js';
import { explainModel } from '../../dist/observe/explained.js';
import { code, relations } from '../../dist/cli/explain-phases.js';
import { mayCompile } from '../../dist/codegen/writer.js';
import { problemJson, renderProblems } from '../../dist/cli/render-error.js';
import { compilePipeline, sqlProblems } from '../../dist/config/compile.js';
import { readPipeline } from '../../dist/config/load.js';
import { buildGraph } from '../../dist/engine/build.js';
import { recordsFrom } from '../../dist/engine/block.js';
import { decodeColumns } from '../../dist/engine/scan.js';
import { PipeError, PipeErrors } from '../../dist/errors.js';
import { formats } from '../../dist/formats/index.js';
import { foreignTokens, recordingSources } from './vocabulary.mjs';

const root = resolve(import.meta.dirname, '../..');
const shipped = ['balances.yaml', 'fraud.yaml'].map(f => readFileSync(join(root, 'pipelines', f), 'utf8').replaceAll('    sample: data/transactions.jsonl\n', ''));

const QUERIES = [
  "SELECT account, SUM(CASE WHEN type = 'withdrawal' THEN -amount ELSE amount END) AS balance FROM t GROUP BY account, TUMBLE(ts, INTERVAL '10' SECOND)",
  "SELECT account, COUNT(DISTINCT type) FILTER (WHERE amount > 1.5) AS c, window_start FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND)) GROUP BY account, window_start, window_end HAVING MAX(amount) > 3",
  "SELECT UPPER(SUBSTRING(account FROM 2 FOR 3)) || '-' || COALESCE(type, 'none') AS a, amount * 2.5 / NULLIF(n, 0) AS x, n % 7 BETWEEN 2 AND 5 AS b FROM t WHERE account LIKE 'a!_%' ESCAPE '!' OR type IS NULL",
  "WITH big AS (SELECT account, amount FROM t WHERE amount > 10) SELECT TRIM(BOTH ' ' FROM account) AS a, CAST(amount AS VARCHAR) AS s, TRY_CAST(account AS INT) AS i FROM big",
  "SELECT CASE n WHEN 1 THEN 'one' WHEN 2 THEN 'two' END AS w, EXTRACT(YEAR FROM ts) AS y, DATE_FORMAT(ts, 'yyyy-MM-dd') AS d, GREATEST(n, 3, NULL) AS g FROM t WHERE n IN (1, 2.5, NULL) AND NOT flag",
];
const around = sql => `name: p\nsources:\n  t:\n    schema: account STRING, amount DECIMAL(12,2), type STRING, n BIGINT, flag BOOLEAN, x DOUBLE, at BIGINT\n    event_time: {from: at, unit: ms}\nsinks:\n  out:\n    sql: |\n      ${sql}\n`;

const HOSTILE = ["');process.exit(9);('", '`+process+`', '${process.exit(9)}', '"];globalThis.canary=1;["', '*/globalThis.canary=1;/*', "\\');canary=1;//", '__proto__', 'constructor', 'prototype', '\u2028canary=1\u2028', '</script>', '\\u0027'];
const YAML_PIECES = ['&a ', '*a', '!x ', '!!js/function ', '${A}', '${', '|', '>', '>-', '"', "'", '{', '}', '[', ']', '? ', '- ', ': ', '\n', '\n\n', '  ', '\t', '\r', '\0', '\u2028', '😀', '---\n', '...\n', '%YAML 1.1\n', '#', '<<: ', 'null', '~', '1e999', '0x1', '-', '\ufeff', '('.repeat(30), '['.repeat(200), '{a: '.repeat(200)];
const SQL_PIECES = ['SELECT', 'FROM', 'WHERE', 'GROUP BY', 'ORDER BY', 'HAVING', 'LIMIT 3', 'JOIN', 'ON', 'USING', 'AS', 'AND', 'OR', 'NOT', 'IS', 'NULL', 'IN', 'LIKE', 'BETWEEN', 'CASE', 'WHEN', 'THEN', 'ELSE', 'END', 'DISTINCT', 'UNION ALL', 'VALUES', 'WITH', 'EXISTS', 'CAST', 'INTERVAL', 'OVER', 'FILTER', '(', ')', '((((((((((', '))))))))))', '[', ']', ',', '.', '*', '-', '=', '::', ';', "'", '"', '`', '--', '/*', '*/', "'x'", '"x"', '1', '1e400', '99999999999999999999999999999999999999999', 'abs(', 'NOT NOT NOT NOT', '- - - -', 'CASE WHEN '];

/** mulberry32 */
function random(seed) {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return n => Math.floor(next() * n);
}

const words = text => text.split(/(?<=[^\w])|(?=[^\w])/);
const texts = [...shipped, ...QUERIES.map(around)];
const yamlPieces = [...new Set(texts.flatMap(words)), ...YAML_PIECES, ...HOSTILE];
const sqlPieces = [...new Set(QUERIES.flatMap(words)), ...SQL_PIECES, ...HOSTILE];

/** Replaces, removes, doubles or inserts pieces, at the seams of words or anywhere. */
function mutated(text, pieces, pick) {
  let t = text;
  for (let edits = 1 + pick(4); edits > 0; edits--) {
    const at = pick(t.length + 1);
    const length = pick(3) === 0 ? pick(40) : pick(6);
    const piece = pieces[pick(pieces.length)];
    switch (pick(5)) {
      case 0: t = t.slice(0, at) + piece + t.slice(at); break;
      case 1: t = t.slice(0, at) + piece + t.slice(at + length); break;
      case 2: t = t.slice(0, at) + t.slice(at + length); break;
      case 3: t = t.slice(0, at + length) + t.slice(at); break;
      // one word for another
      default: { const w = words(t); w[pick(w.length)] = piece; t = w.join(''); }
    }
  }
  return t;
}

/** A literal, a name, an alias that would like to be code. */
function hostile(pick) {
  const h = HOSTILE[pick(HOSTILE.length)];
  const text = `'${h.replaceAll("'", "''")}'`;
  const name = `"${h.replaceAll('"', '""')}"`;
  return [
    `SELECT ${text} AS a, account FROM t WHERE account = ${text} OR type LIKE ${text}`,
    `SELECT account AS ${name} FROM t`,
    `SELECT ${name} FROM t`, `SELECT ${name}(account) AS a FROM t`, `SELECT account FROM ${name}`,
    `SELECT LISTAGG(account, ${text}) AS l, MAX(${text}) AS m FROM t GROUP BY type || ${text}, TUMBLE(ts, INTERVAL '1' SECOND)`,
    `SELECT REPLACE(account, ${text}, ${text}) AS r, DATE_FORMAT(ts, ${text}) AS d, CAST(${text} AS INT) AS i FROM t`,
    `SELECT CASE ${text} WHEN account THEN ${text} ELSE ${text} END AS ${name} FROM t`,
  ][pick(8)];
}

/** The text of a case, the same for the same seed and number. */
export function fuzzText(seed, n) {
  const pick = random(Math.imul(seed, 2654435761) + n);
  switch (pick(5)) {
    case 0: case 1: return mutated(texts[pick(texts.length)], yamlPieces, pick);
    case 2: return around(hostile(pick));
    default: return around(mutated(QUERIES[pick(QUERIES.length)], sqlPieces, pick).replaceAll('\n', ' '));
  }
}

const records = recordsFrom([
  '{"account":"a_1","amount":12.5,"type":"withdrawal","timestamp":"1704110400","n":2,"flag":false,"x":1.5,"at":1704110400000}',
  '{"account":null,"amount":0,"type":null,"timestamp":"1704110401","n":0,"flag":true,"x":-0.0,"at":1704110401000}',
  '{"account":"__proto__","timestamp":"1704110402","at":1704110402000}',
  'no json',
].map(value => ({ key: null, value, timestamp: 1_704_110_400_000 })));

const jit = mayCompile();

/** Compiles, explains and runs a pipeline over a few records. */
function use(c) {
  const model = explainModel(c);
  explainText(model);
  explainMermaid(model);
  if (jit) code(c);
  relations(c, 'bound');
  relations(c, 'logical');
  const state = {
    stateId: '', fresh: true, table: spec => ({ spec, scan: () => [], packed: () => [] }), unclaimed: () => [], get: () => undefined,
    saved: () => ({ epoch: 0, delivery: 0, positions: [], watermarks: new Map(), counters: new Map() }), outbox: () => [], commit() {}, clearOutbox() {}, checkpoint() {}, close() {},
  };
  const counts = { filtered() {}, late() {}, failed() {} };
  const outputs = new Map(c.plan.sinks.map(w => {
    const encoder = formats.find('json').encoder(w.schema, { timestamps: 'epoch_ms', decimals: 'number', key: [], jit });
    const bytes = { buf: Buffer.alloc(1 << 20) };
    return [w.sink, { push: b => { bytes.rows = b.length; void encoder; }, watermark() {}, finish() {} }];
  }));
  const graph = buildGraph(c.plan, { state, share: null, disk: null, packFrom: Infinity, memory() {}, full: () => false, closed: () => undefined, counts }, outputs, jit);
  for (const o of graph.operators) o.open();
  for (const scan of c.plan.scans) {
    const source = c.spec.sources.find(s => s.name === scan.source);
    const decoder = formats.find('json').decoder(decodeColumns(c.plan, scan, source), { topic: 't', maxRecordBytes: 1 << 20, generated: jit });
    const batch = decoder.decode(records, 0, records.length, () => undefined);
    const input = graph.inputs.get(scan.source);
    input?.push({ ...batch, wm: new Float64Array(batch.length).fill(-Infinity) });
    input?.finish();
  }
}

/** 'passed', 'refused', or what went wrong. `foreign` gets tokens of generated code that are no words of pipe. */
export function judge(text, foreign) {
  let problems = [];
  let passed = false;
  const sources = recordingSources(() => {
    const { spec, unknown, problems: found } = readPipeline(join(root, 'fuzz.yaml'), { env: {}, root, text });
    problems = found;
    if (spec !== null && found.length > 0) problems = [...found, ...sqlProblems(spec, unknown)];
    else if (spec !== null) {
      try {
        use(compilePipeline(spec));
        passed = true;
      } catch (error) {
        if (error instanceof PipeErrors) problems = error.problems;
        else if (error instanceof PipeError) problems = [error];
        else throw error;
      }
    }
  });
  foreign.push(...sources.flatMap(foreignTokens));
  if (!passed && problems.length === 0) throw new Error('neither passed nor refused');
  for (const p of problems) {
    const { source, start, end } = p.span ?? {};
    if (source === undefined || !(start >= 0 && end >= start && end <= source.text.length)) throw new Error(`a problem without its place: ${p.code} ${p.message}`);
    JSON.stringify(problemJson(p));
  }
  const shown = renderProblems(problems, { color: false });
  if (/\[object|\bNaN undefined/.test(shown) || /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(shown)) throw new Error(`problems that cannot be shown: ${JSON.stringify(shown)}`);
  if ('canary' in globalThis) throw new Error('text has become code');
  if ({}.x !== undefined || Object.keys(Object.prototype).length > 0) throw new Error('Object.prototype has changed');
  return passed ? 'passed' : 'refused';
}
