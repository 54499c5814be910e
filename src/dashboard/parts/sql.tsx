/** Text in parts, each of them inside or outside of the ranges. Ranges may be in any order, may overlap and may be wrong. */
function cut(text: string, ranges: readonly (readonly [number, number])[]): { readonly text: string; readonly on: boolean }[] {
  const inside = (at: number): boolean => ranges.some(([a, b]) => at >= a && at < b);
  const edges = [...new Set([0, text.length, ...ranges.flat().filter(e => e > 0 && e < text.length)])].sort((a, b) => a - b);
  return edges.slice(0, -1).map((from, i) => ({ text: text.slice(from, edges[i + 1]), on: inside(from) }));
}

/** A query with marks on what one operator does of it. */
export function Sql({ text, ranges, label }: { readonly text: string; readonly ranges: readonly (readonly [number, number])[]; readonly label: string }) {
  return <pre class="code sql" tabIndex={0} aria-label={label}>{cut(text, ranges).map((p, i) => (p.on ? <mark key={i}>{p.text}</mark> : p.text))}</pre>;
}
