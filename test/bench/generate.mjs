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
