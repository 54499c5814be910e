import { RowError } from '../../../errors.ts';
import { advance, indexOf, retreat } from '../../values/text.ts';

/** Characters between two %: text, and how many characters (`_`) may be anything where. */
interface Segment {
  /** One character a place; null is `_`. */
  readonly places: readonly (string | null)[];
  /** The places as one text when none of them is `_`. */
  readonly literal: string | null;
}

/** Characters that are compared at most where a pattern has `_`: pattern and text may both come from a record, and no text needs so many. */
const MOST_STEPS = 10_000_000;

export type LikeMatcher = (text: string) => boolean;

/** Compiles a LIKE pattern: % any characters, _ one character, `escape` makes the next one ordinary. Throws RowError for a bad escape. */
export function compileLike(pattern: string, escape: string | null): LikeMatcher {
  const segments = segmentsOf(pattern, escape);
  const first = segments[0] as Segment;
  if (segments.length === 1) return first.literal !== null ? text => text === first.literal : text => matchAt(first, text, 0) === text.length;
  const last = segments.at(-1) as Segment;
  const middle = segments.slice(1, -1);
  return text => {
    let at = matchAt(first, text, 0);
    if (at < 0) return false;
    const left = { steps: MOST_STEPS };
    // leftmost is best: what a later place leaves is part of what an earlier one leaves
    for (const segment of middle) if ((at = find(segment, text, at, left)) < 0) return false;
    const end = last.literal !== null ? text.length - last.literal.length : retreat(text, text.length, last.places.length);
    return end >= at && matchAt(last, text, end) === text.length;
  };
}

function segmentsOf(pattern: string, escape: string | null): readonly Segment[] {
  if (escape !== null && [...escape].length !== 1) throw new RowError('user.data.row', `ESCAPE takes one character, not '${escape}'`);
  const segments: Segment[] = [];
  let places: (string | null)[] = [];
  const end = (): void => {
    segments.push({ places, literal: places.includes(null) ? null : places.join('') });
    places = [];
  };
  const chars = [...pattern];
  for (let i = 0; i < chars.length; i++) {
    const c = chars[i] as string;
    if (c === escape) {
      const next = chars[++i];
      if (next !== '%' && next !== '_' && next !== escape) throw new RowError('user.data.row', `the escape character of LIKE stands before %, _ or itself, not so in '${pattern}'`);
      places.push(next);
    } else if (c === '%') end();
    else places.push(c === '_' ? null : c);
  }
  end();
  return segments;
}

/** Unit offset after `segment` at `at`, or -1. */
function matchAt(segment: Segment, text: string, at: number): number {
  if (segment.literal !== null) return text.startsWith(segment.literal, at) ? at + segment.literal.length : -1;
  for (const place of segment.places) {
    if (at >= text.length) return -1;
    const next = advance(text, at, 1);
    if (place !== null && !(next - at === place.length && text.startsWith(place, at))) return -1;
    at = next;
  }
  return at;
}

/** Unit offset after the first `segment` at or after `from`, or -1. */
function find({ literal, places }: Segment, text: string, from: number, left: { steps: number }): number {
  if (literal !== null) {
    const at = indexOf(text, literal, from);
    return at < 0 ? -1 : at + literal.length;
  }
  const lead = places.findIndex(p => p !== null);
  const blank = lead < 0 ? places.length : lead;
  // what begins with _ fits everywhere: only what follows is looked for
  let at = from;
  for (let n = 0; n < blank; n++) {
    if (at >= text.length) return -1;
    at = advance(text, at, 1);
  }
  const rest = places.slice(blank);
  for (; ; at = advance(text, at, 1)) {
    let end = at;
    let k = 0;
    for (; k < rest.length && end < text.length; k++) {
      const place = rest[k] as string | null;
      const next = advance(text, end, 1);
      if (place !== null && !(next - end === place.length && text.startsWith(place, end))) break;
      end = next;
    }
    if (k === rest.length) return end;
    // the text is too short for all that is left
    if (end >= text.length) return -1;
    left.steps -= k + 1;
    if (left.steps < 0) throw new RowError('user.data.row', `LIKE compares more than ${MOST_STEPS} characters`);
  }
}
