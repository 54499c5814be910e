import { RowError } from '../../../errors.ts';
import { advance, retreat } from '../../values/text.ts';

/** Characters between two %: text, and how many characters (`_`) may be anything where. */
interface Segment {
  /** One character a place; null is `_`. */
  readonly places: readonly (string | null)[];
  /** The places as one text when none of them is `_`. */
  readonly literal: string | null;
}

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
    // leftmost is best: what a later place leaves is part of what an earlier one leaves
    for (const segment of middle) if ((at = find(segment, text, at)) < 0) return false;
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
function find(segment: Segment, text: string, from: number): number {
  const { literal } = segment;
  if (literal !== null) {
    const at = text.indexOf(literal, from);
    return at < 0 ? -1 : at + literal.length;
  }
  for (let at = from; at < text.length; at = advance(text, at, 1)) {
    const end = matchAt(segment, text, at);
    if (end >= 0) return end;
  }
  return -1;
}
