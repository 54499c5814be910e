import { ExactNumber, Members, readJson, type Json } from '../exact-json.ts';
import { plural } from '../../numbers.ts';

/** More children than this are opened by hand only. */
const OPEN = 50;
const SHOWN = 1000;

/** A JSON text as a tree to open and close; any other text as it is. */
export function Value({ text }: { readonly text: string }) {
  const json = readJson(text);
  if (json === undefined) return <pre class="raw" tabIndex={0}>{text}</pre>;
  return <div class="tree"><Node name={null} value={json} depth={0} /></div>;
}

function Node({ name, value, depth }: { readonly name: string | number | null; readonly value: Json; readonly depth: number }) {
  const label = name === null ? null : <><span class="name">{name}</span>: </>;
  const kids: readonly (readonly [string | number, Json])[] | null = value instanceof Members ? value.all : Array.isArray(value) ? value.map((v: Json, i) => [i, v] as const) : null;
  if (kids === null) return <div class="leaf">{label}<Leaf value={value as string | null | boolean | ExactNumber} /></div>;
  const size = plural(kids.length, value instanceof Members ? 'field' : 'item');
  return <details open={depth < 3 && kids.length <= OPEN}>
    <summary>{label}{value instanceof Members ? '{}' : '[]'} <span class="name">{size}</span></summary>
    <div class="kids">{kids.slice(0, SHOWN).map(([n, v], i) => <Node key={i} name={n} value={v} depth={depth + 1} />)}{kids.length > SHOWN ? <div class="leaf name">and {plural(kids.length - SHOWN, 'more')}</div> : null}</div>
  </details>;
}

function Leaf({ value }: { readonly value: string | null | boolean | ExactNumber }) {
  if (value instanceof ExactNumber) return <span class="number">{value.text}</span>;
  return typeof value === 'string' ? <span class="string">{JSON.stringify(value)}</span> : <span class="word">{String(value)}</span>;
}
