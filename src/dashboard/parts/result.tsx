import { plural } from '../../numbers.ts';
import type { Rows } from '../../ui/answers.ts';

const isNumber = (v: unknown): boolean => typeof v === 'number' || (typeof v === 'string' && /^-?\d+(\.\d+)?$/.test(v));

function cell(v: unknown): string {
  if (v === null) return 'NULL';
  if (typeof v === 'object' && 'base64' in v) return `base64 ${String(v.base64)}`;
  return typeof v === 'string' ? v : JSON.stringify(v);
}

/** Rows of a query. */
export function Result({ result, label }: { readonly result: Rows; readonly label: string }) {
  const numeric = result.columns.map((_, i) => result.rows.length > 0 && result.rows.every(r => r[i] === null || isNumber(r[i])));
  return <div class="card">
    <div class="scroll result" tabIndex={0} role="group" aria-label={label}><table>
      <thead><tr>{result.columns.map((c, i) => <th key={i} class={numeric[i] === true ? 'num' : ''}>{c}</th>)}</tr></thead>
      <tbody>{result.rows.map((r, n) => <tr key={n}>{r.map((v, i) => <td key={i} class={`mono ${numeric[i] === true ? 'num' : ''} ${v === null ? 'dim' : ''}`}>{cell(v)}</td>)}</tr>)}</tbody>
    </table></div>
    <p class="below dim">{plural(result.rows.length, 'row')}{result.truncated ? ', there are more' : ''}{result.ms === undefined ? '' : `, ${result.ms} ms`}</p>
  </div>;
}
