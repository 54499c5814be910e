/** Decode and encode alone, in this process, beside JSON.parse and JSON.stringify of the same records. */
import { ByteWriter } from '../../dist/engine/bytes.js';
import { formats } from '../../dist/formats/index.js';
import { STRING, TIMESTAMP, TIMESTAMP_LTZ, decimal } from '../../dist/sql/types.js';
import { accountOf, valueOf, wideOf } from './generate.mjs';
import { spread } from './measure.mjs';

const BATCH = 1000;
/** Records of the wide kind, at most. */
const WIDE = 100_000;
const json = formats.find('json');
const column = (name, type, key = name, time = null) => ({ field: { name, type, nullable: time === null }, key, time, required: false });

/** What balances.yaml reads: the account as text, and as bytes where it is only grouped by. */
const TEXTS = [column('account', STRING), column('amount', decimal(12, 2)), column('type', STRING), column('ts', TIMESTAMP_LTZ, 'timestamp', 's')];
const BYTES = [{ ...TEXTS[0], bytes: true }, ...TEXTS.slice(1)];

function recordBatch(records, accounts, make) {
  const values = Array.from({ length: records }, (_, i) => Buffer.from(make(i, accounts)));
  const valueStart = new Int32Array(records);
  const valueEnd = new Int32Array(records);
  let at = 0;
  values.forEach((v, i) => { valueStart[i] = at; valueEnd[i] = at += v.length; });
  return { topic: 't', partition: 0, length: records, data: Buffer.concat(values), valueStart, valueEnd, next: records };
}

/** What balances.yaml writes. */
function rowBatch(rows, accounts) {
  const schema = [['account', STRING], ['balance', decimal(38, 2)], ['window_start', TIMESTAMP], ['window_end', TIMESTAMP]].map(([name, type]) => ({ name, type, nullable: true }));
  const cols = [
    Array.from({ length: rows }, (_, i) => accountOf(i, accounts)), Array.from({ length: rows }, (_, i) => (i * 7919) % 1_000_000_007),
    new Float64Array(rows).fill(1_704_110_400_000), new Float64Array(rows).fill(1_704_110_410_000),
  ];
  return { schema, length: rows, cols, nulls: [null, null, null, null], wm: null, origin: null };
}

const fail = (record, code, message) => { throw new Error(`record ${record}: ${code}: ${message}`); };

/** Decodes all of `input` in batches. */
function decode(input, columns, generated) {
  const decoder = json.decoder(columns, { topic: 't', maxRecordBytes: 1 << 20, generated });
  return () => {
    let rows = 0;
    for (let at = 0; at < input.length; at += BATCH) rows += decoder.decode(input, at, Math.min(input.length, at + BATCH), fail).length;
    return rows;
  };
}

function contenders(records, accounts) {
  const input = recordBatch(records, accounts, valueOf);
  const wide = recordBatch(Math.min(records, WIDE), accounts, wideOf);
  const output = rowBatch(records, accounts);
  const encoder = json.encoder(output.schema, { timestamps: 'epoch_ms', decimals: 'number', key: [0] });
  const out = new ByteWriter();
  return {
    'decode, plain': decode(input, TEXTS, false),
    'decode': decode(input, TEXTS, true),
    'decode, account as bytes': decode(input, BYTES, true),
    'decode amount, plain': decode(input, TEXTS.slice(1, 2), false),
    'decode amount': decode(input, TEXTS.slice(1, 2), true),
    'decode 4 of 20 fields, plain': decode(wide, TEXTS, false),
    'decode 4 of 20 fields': decode(wide, TEXTS, true),
    'decode 4 of 20 fields, account as bytes': decode(wide, BYTES, true),
    'JSON.parse': () => {
      let n = 0;
      for (let i = 0; i < records; i++) n += JSON.parse(input.data.toString('utf8', input.valueStart[i], input.valueEnd[i])).type.length;
      return n;
    },
    'encode': () => {
      for (let i = 0; i < records; i++) {
        if (i % BATCH === 0) out.reset();
        encoder.key(output, i, out);
        encoder.value(output, i, out);
      }
      return out.pos;
    },
    'JSON.stringify': () => {
      const [account, balance, start, end] = output.cols;
      let n = 0;
      for (let i = 0; i < records; i++) n += Buffer.from(JSON.stringify({ account: account[i], balance: balance[i] / 100, window_start: start[i], window_end: end[i] })).length;
      return n;
    },
  };
}

/** ns of CPU a record by contender, {median, low, high}; the contenders take turns, the first turn warms up. */
export function micro({ records, accounts, runs }) {
  const all = contenders(records, accounts);
  const times = Object.fromEntries(Object.keys(all).map(name => [name, []]));
  let kept = 0;
  for (let run = 0; run <= runs; run++) {
    for (const [name, work] of Object.entries(all)) {
      const before = process.cpuUsage();
      kept += work();
      const { user, system } = process.cpuUsage(before);
      if (run > 0) times[name].push(((user + system) * 1000) / (name.includes('20 fields') ? Math.min(records, WIDE) : records));
    }
  }
  if (kept === 0) throw new Error('nothing was read');
  return Object.fromEntries(Object.entries(times).map(([name, ns]) => [name, spread(ns)]));
}
