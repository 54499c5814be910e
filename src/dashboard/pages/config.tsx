import { useMemo } from 'preact/hooks';
import { url } from '../api.ts';
import { info } from '../live.ts';
import { Copy } from '../parts/copy.tsx';
import { Value } from '../parts/json-tree.tsx';
import { useLoad } from '../parts/load.ts';
import { Empty, Loading, Problem } from '../parts/notes.tsx';
import { go } from '../route.ts';

const FIRST = ['name', 'description', 'file'];
const EACH = ['sources', 'sinks'];

/** What is in force, all defaults filled in; the server masks secrets. */
export function ConfigPage({ id }: { readonly id: string | undefined }) {
  const names = info.value?.pipelines ?? null;
  const name = id ?? names?.[0];
  const { data, error } = useLoad<Readonly<Record<string, unknown>>>(name === undefined ? null : url(['config', name]));
  const text = useMemo(() => JSON.stringify(data, null, 2), [data]);
  if (names !== null && names.length === 0) return <><h1>Config</h1><Empty title="There is no pipeline here" command="pipe init">A pipeline is a YAML file in the folder pipelines/.</Empty></>;
  const options = name !== undefined && names !== null && !names.includes(name) ? [...names, name] : names ?? [];
  return <>
    <div class="title"><h1>Config</h1><p class="sum">with all defaults, secrets masked</p>{data === null ? null : <div class="actions"><Copy text={text} what="configuration" /></div>}</div>
    {options.length === 0 ? null : <div class="bar"><label>Pipeline<select value={name} onChange={e => go(['config', e.currentTarget.value])}>{options.map(n => <option key={n} value={n}>{n}</option>)}</select></label></div>}
    {error !== null ? <Problem error={error} /> : data === null ? <Loading /> : <>
      <dl class="facts card padded">{FIRST.filter(k => typeof data[k] === 'string').map(k => <div class="fact" key={k}><dt>{k}</dt><dd>{String(data[k])}</dd></div>)}</dl>
      {parts(data).map(([title, v]) => <section class="card" key={title} aria-label={title}><header><h2>{title}</h2></header><div class="body"><Value text={JSON.stringify(v)} /></div></section>)}
    </>}
  </>;
}

/** A part of its own for each source and sink, and for what else there is. */
const parts = (config: Readonly<Record<string, unknown>>): (readonly [title: string, value: unknown])[] => Object.entries(config).filter(([k]) => k !== 'v' && !FIRST.includes(k)).flatMap(([k, v]) => (
  EACH.includes(k) ? Object.entries(v as Readonly<Record<string, unknown>>).map(([name, item]): readonly [string, unknown] => [`${k} · ${name}`, item]) : [[k, v] as const]
));
