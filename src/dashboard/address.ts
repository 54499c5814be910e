export type Query = Readonly<Record<string, string | number | undefined | null>>;

/** Path and query, encoded: `topics/a%20b?from=latest`. Values that are missing or empty are left out. */
export function address(parts: readonly string[], query: Query): string {
  const given = Object.entries(query).filter(([, v]) => v !== undefined && v !== null && v !== '').map(([k, v]) => [k, String(v)]);
  const text = new URLSearchParams(given).toString();
  return `${parts.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}
