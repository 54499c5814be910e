import { useState } from 'preact/hooks';
import { bytes } from '../../numbers.ts';
import type { Topic, Topics } from '../../ui/answers.ts';
import { url } from '../api.ts';
import { short } from '../format.ts';
import { info } from '../live.ts';
import { useLoad } from '../parts/load.ts';
import { Empty, Loading, Problem } from '../parts/notes.tsx';
import { useRoving } from '../parts/roving.ts';
import { to } from '../route.ts';

export function TopicsPage() {
  const { data, error } = useLoad<Topics>(url(['topics']), 5000);
  const [filter, setFilter] = useState('');
  const away = (info.value?.logs ?? []).filter(l => l.error !== null);
  return <>
    <div class="title"><h1>Topics</h1>{data === null ? null : <p class="sum">{data.topics.length}</p>}</div>
    {away.map(l => <p key={l.label} class="note warn">{l.label} cannot be reached: {l.error}</p>)}
    {error === null ? null : <Problem error={error} />}
    {data === null ? (error === null ? <Loading /> : null) : data.topics.length === 0
      ? <Empty title="There is no topic yet" command="pipe generate transactions --rate 100/s">A topic is made when a pipeline that reads or writes it starts, or by the first record that is sent to it.</Empty>
      : <>
        <div class="bar"><label class="grow">Filter<input data-filter type="search" value={filter} placeholder="Part of a name   /" onInput={e => setFilter(e.currentTarget.value)} /></label></div>
        <List topics={data.topics.filter(t => t.name.toLowerCase().includes(filter.toLowerCase()))} />
      </>}
  </>;
}

function List({ topics }: { readonly topics: readonly Topic[] }) {
  const ref = useRoving<HTMLTableSectionElement>();
  const labelOf = (id: string): string => info.value?.logs.find(l => l.id === id)?.label ?? id;
  if (topics.length === 0) return <p class="dim">No topic has that in its name.</p>;
  return <div class="card scroll"><table class="topics">
    <thead><tr><th>Topic</th><th class="wide">Log</th><th class="num few">Partitions</th><th class="num">Records</th><th class="num">Size</th></tr></thead>
    <tbody ref={ref}>{[...topics].sort((a, b) => a.name.localeCompare(b.name)).map(t => <tr key={`${t.log} ${t.name}`}>
      <th scope="row"><a data-row href={to(['topics', t.log, t.name])}>{t.name}</a></th>
      <td class="wide dim">{labelOf(t.log)}</td><td class="num few">{t.partitions.length}</td><td class="num">{short(t.records)}</td><td class="num">{t.bytes === null ? '-' : bytes(t.bytes)}</td>
    </tr>)}</tbody>
  </table></div>;
}
