/** Deterministic transactions for all parties: the same record for the same index, whatever the batch. */

/** 2024-01-01T12:00:00Z */
const START = 1_704_110_400;
/** So that a window of 10 s holds half a million records. */
const PER_SECOND = 50_000;

export const PARTITIONS = 3;

/** A well mixed 32-bit number of an index (murmur3's finaliser). */
function mix(n) {
  let h = Math.imul(n ^ (n >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export const accountOf = (i, accounts) => String(100_000 + (mix(i + 1) % accounts));

/** Record `i`: 77 to 85 bytes of JSON. */
export function valueOf(i, accounts) {
  const cents = mix(i ^ 0x5bd1e995) % 100_000;
  const amount = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
  return `{"account":"${accountOf(i, accounts)}","amount":${amount},"timestamp":"${START + Math.floor(i / PER_SECOND)}","type":"${mix(i ^ 0x27d4eb2f) % 2 === 0 ? 'deposit' : 'withdrawal'}"}`;
}

/** Record `i` among 16 fields that nobody reads, as an application's events are: 540 bytes. */
export function wideOf(i, accounts) {
  const n = mix(i ^ 0x165667b1);
  const { account, amount, timestamp, type } = JSON.parse(valueOf(i, accounts));
  return JSON.stringify({
    event_id: `${n.toString(16).padStart(8, '0')}-${mix(i).toString(16).padStart(8, '0')}`, schema_version: 3, timestamp, source: { service: 'payments', host: `node-${n % 40}`, region: 'eu-west-1' },
    account, customer_name: 'Anna Maria Schmidt', amount, currency: 'EUR', type, status: 'settled', channel: n % 3 === 0 ? 'mobile' : 'web', merchant_id: n % 90_000, merchant_name: 'Corner Shop & Sons',
    category: ['food', 'retail'], latitude: 52.520008, longitude: 13.404954, is_test: false, note: null, trace_id: `${n.toString(16)}${mix(i + 7).toString(16)}`, user_agent: 'Mozilla/5.0 (X11; Linux x86_64) Client/12.4',
  });
}
