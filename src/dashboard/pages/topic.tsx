import { useEffect, useMemo, useState } from 'preact/hooks';
import { bytes, grouped, plural } from '../../numbers.ts';
import type { Records, Topic, TopicRecord, Topics } from '../../ui/answers.ts';
import { ApiError, get, url } from '../api.ts';
import { mayAct } from '../live.ts';
import { Icon } from '../parts/icon.tsx';
import { useLoad } from '../parts/load.ts';
import { Empty, Loading, Problem } from '../parts/notes.tsx';
import { RecordDetail, RecordList } from '../parts/record.tsx';
import { TailButtons, TailNote } from '../parts/tail-bar.tsx';
import { requery, route, to } from '../route.ts';
import { useTail } from '../tail.ts';
import { Send } from './send.tsx';

const PAGE = 500;

/** What is looked at, as it stands in the address. */
interface Look {
  readonly from: 'latest' | 'earliest' | 'offset' | 'time' | 'live';
  readonly at?: string | undefined;
  readonly partition?: string | undefined;
  readonly filter?: string | undefined;
}

export function TopicPage({ log, topic }: { readonly log: string; readonly topic: string }) {
  const listed = useLoad<Topics>(url(['topics'], { log }), 5000);
  const [sends, setSends] = useState(false);
  const found = listed.data?.topics.find(t => t.name === topic && t.log === log);
  const { query } = route.value;
  const look: Look = { from: (query['from'] ?? 'latest') as Look['from'], at: query['at'], partition: query['partition'], filter: query['filter'] };
  return <>
    <div class="title">
      <a class="crumb" href={to(['topics'])} aria-label="All topics"><Icon name="back" /></a>
      <h1>{topic}</h1>
      {found === undefined ? null : <p class="sum">{plural(found.records, 'record')} · {plural(found.partitions.length, 'partition')}{found.bytes === null ? '' : ` · ${bytes(found.bytes)}`}</p>}
      {mayAct.value && found !== undefined ? <div class="actions"><button type="button" onClick={() => setSends(true)}>Send a record</button></div> : null}
    </div>
    {listed.error !== null ? <Problem error={listed.error} /> : listed.data === null ? <Loading /> : found === undefined
      ? <Empty title="There is no such topic" command={`pipe topics create ${topic}`}>It may have been deleted, or the log that held it is away.</Empty>
      : <><Where topic={found} look={look} />{look.from === 'live' ? <Live topic={found} look={look} /> : <Stored key={JSON.stringify(look)} topic={found} look={look} />}</>}
    {sends && found !== undefined ? <Send topic={found} onClose={() => setSends(false)} /> : null}
  </>;
}

/** Where to begin, in which partition, and what to leave out. */
function Where({ topic, look }: { readonly topic: Topic; readonly look: Look }) {
  const [filter, setFilter] = useState(look.filter ?? '');
  const [at, setAt] = useState(look.at ?? '');
  // the address may change without this form
  useEffect(() => { setFilter(look.filter ?? ''); setAt(look.at ?? ''); }, [look.filter, look.at]);
  const change = (next: Partial<Look>): void => requery({ ...look, ...next });
  const needs = look.from === 'offset' || look.from === 'time';
  return <form class="bar" onSubmit={e => { e.preventDefault(); change({ filter, at: needs ? at : undefined }); }}>
    <label>Show<select value={look.from} onChange={e => { setAt(''); change({ from: e.currentTarget.value as Look['from'], at: undefined, partition: e.currentTarget.value === 'offset' ? look.partition ?? '0' : look.partition }); }}>
      <option value="latest">newest first</option><option value="earliest">oldest first</option><option value="offset">from an offset</option><option value="time">from a time</option><option value="live">live, as they come</option>
    </select></label>
    {!needs ? null : <label>{look.from === 'offset' ? 'Offset' : 'Time (UTC)'}<input value={at} inputMode={look.from === 'offset' ? 'numeric' : 'text'} placeholder={look.from === 'offset' ? '0' : '2024-01-01T12:00:00'} onInput={e => setAt(e.currentTarget.value)} /></label>}
    <label>Partition<select value={look.partition ?? ''} onChange={e => change({ partition: e.currentTarget.value })}>
      {look.from === 'offset' ? null : <option value="">all</option>}{topic.partitions.map(p => <option key={p.partition} value={String(p.partition)}>{p.partition}</option>)}
    </select></label>
    <label class="grow">Only where<input data-filter class="code" value={filter} placeholder={example(topic)} spellcheck={false} autocomplete="off" title={`Columns: ${topic.columns.map(c => `${c.name} ${c.type}`).join(', ')}`} onInput={e => setFilter(e.currentTarget.value)} /></label>
    <button type="submit" class="primary">Show</button>
  </form>;
}

/** A condition that this topic takes. */
function example({ columns }: Topic): string {
  const number = columns.find(c => /^(DECIMAL|BIGINT|INT|DOUBLE)/.test(c.type) && !['partition', 'offset'].includes(c.name));
  return number === undefined ? "key = '1234'" : `${number.name} > 1000`;
}

/** Records that are there, page after page as the reader scrolls. */
function Stored({ topic, look }: { readonly topic: Topic; readonly look: Look }) {
  const [pages, setPages] = useState<readonly Records[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const rows = useMemo(() => pages.flatMap(p => p.records), [pages]);
  const last = pages.at(-1);
  const ready = look.from !== 'offset' && look.from !== 'time' ? true : look.at !== undefined && look.at !== '';
  const load = (): void => {
    if (busy || !ready || last?.done === true) return;
    setBusy(true);
    const from = look.from === 'offset' ? { offset: look.at } : look.from === 'time' ? { time: look.at } : { from: look.from };
    const next = last === undefined ? {} : { next: JSON.stringify(last.next), order: last.order };
    void get<Records>(url(['topics', topic.name, 'records'], { log: topic.log, partition: look.partition, filter: look.filter, limit: PAGE, ...from, ...next }))
      .then(page => { setPages(old => [...old, page]); setError(null); }, setError).finally(() => setBusy(false));
  };
  useEffect(load, []);
  const scanned = pages.reduce((n, p) => n + p.scanned, 0);
  const failed = pages.reduce((n, p) => n + p.failed, 0);
  return <>
    {error === null ? null : <FilterProblem error={error} filter={look.filter ?? ''} />}
    {!ready ? <p class="dim">Say from which {look.from} on, then Show.</p> : rows.length > 0 ? <Browser topic={topic} rows={rows} more={() => { if (last?.filter_stopped !== true) load(); }} />
      : busy || (last === undefined && error === null) ? <Loading />
        : error !== null ? null
          : look.filter === undefined || look.filter === '' ? <Empty title="No record here" command={`pipe topics send ${topic.name}`}>The topic is empty from this place on.</Empty> : <Empty title="No record meets the condition">{plural(scanned, 'record')} were looked at.</Empty>}
    {last === undefined ? null : <div class="bar below">
      <p class="dim">{plural(rows.length, 'record')}{(look.filter ?? '') !== '' ? ` of ${grouped(scanned)} looked at` : ''}{failed > 0 ? `, the condition fails on ${grouped(failed)}` : ''}{last.done ? ', all of them' : ''}</p>
      {last.done ? null : <button type="button" disabled={busy} onClick={load}>{last.filter_stopped ? 'Look on' : 'More'}</button>}
    </div>}
  </>;
}

/** What is wrong with a condition, with a caret below the place. */
function FilterProblem({ error, filter }: { readonly error: unknown; readonly filter: string }) {
  const at = error instanceof ApiError ? error.at : null;
  return <><Problem error={error} />{at === null ? null : <pre class="code caret" aria-hidden="true">{`${filter}\n${' '.repeat(at[0])}${'^'.repeat(Math.max(1, at[1] - at[0]))}`}</pre>}</>;
}

function Live({ topic, look }: { readonly topic: Topic; readonly look: Look }) {
  const tail = useTail({ log: topic.log, name: topic.name, partition: look.partition, filter: look.filter });
  return <>
    <div class="bar"><TailButtons tail={tail} /><TailNote tail={tail} /></div>
    {tail.error === null ? null : <FilterProblem error={tail.error} filter={look.filter ?? ''} />}
    {tail.rows.length === 0 ? (tail.error === null ? <Empty title="Waiting for the next record" command={`pipe topics send ${topic.name}`}>Records appear here as they are committed.</Empty> : null) : <Browser topic={topic} rows={tail.rows} stick />}
  </>;
}

function Browser({ topic, rows, more, stick = false }: { readonly topic: Topic; readonly rows: readonly TopicRecord[]; readonly more?: () => void; readonly stick?: boolean }) {
  const [chosen, setChosen] = useState<TopicRecord | null>(null);
  const [whole, setWhole] = useState<TopicRecord | null>(null);
  useEffect(() => {
    setWhole(null);
    if (chosen === null || !chosen.truncated) return;
    // a list has values that are cut; this one is wanted in full
    const stop = new AbortController();
    void get<Records>(url(['topics', topic.name, 'records'], { log: topic.log, partition: chosen.partition, offset: chosen.offset, limit: 1 }), stop.signal).then(r => setWhole(r.records[0] ?? null), () => undefined);
    return () => stop.abort();
  }, [chosen]);
  return <RecordList rows={rows} label={`Records of ${topic.name}`} chosen={chosen} choose={setChosen} stick={stick} more={more}>
    {chosen === null ? null : <RecordDetail r={whole ?? chosen} onClose={() => setChosen(null)} />}
  </RecordList>;
}
