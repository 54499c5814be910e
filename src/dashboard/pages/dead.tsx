import { useEffect, useState } from 'preact/hooks';
import { bytes, grouped, plural } from '../../numbers.ts';
import type { DeadCode, DeadCodes, DeadLetter, DeadLetters, Replayed, SavedState, States } from '../../ui/answers.ts';
import { get, post, url } from '../api.ts';
import { short, time } from '../format.ts';
import { mayAct } from '../live.ts';
import { Bytes } from '../parts/bytes.tsx';
import { say } from '../parts/copy.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { Icon } from '../parts/icon.tsx';
import { useLoad } from '../parts/load.ts';
import { Empty, Loading, Problem } from '../parts/notes.tsx';
import { useRoving } from '../parts/roving.ts';
import { VirtualList } from '../parts/virtual-list.tsx';
import { go, to } from '../route.ts';

const PAGE = 200;

export function DeadPage({ id, code }: { readonly id: string | undefined; readonly code: string | undefined }) {
  const { data, error } = useLoad<States>(url(['state']));
  const states = data?.states ?? [];
  const state = states.find(s => s.id === id) ?? (id === undefined ? states[0] : undefined);
  return <>
    <div class="title"><h1>Dead letters</h1>{state === undefined ? null : <p class="sum">{state.pipeline} · {state.log}</p>}</div>
    {error === null ? null : <Problem error={error} />}
    {data === null ? (error === null ? <Loading /> : null) : states.length === 0
      ? <Empty title="No pipeline has run yet" command="pipe run pipelines/">Records that cannot be used are kept here with their bytes, place and reason.</Empty>
      : state === undefined ? <Empty title="There is no such pipeline">Choose one of: {states.map(s => s.pipeline).join(', ')}.</Empty>
        : <>
          {states.length < 2 ? null : <div class="bar"><label>Pipeline<select value={state.id} onChange={e => go(['dead', e.currentTarget.value])}>{states.map(s => <option key={s.id} value={s.id}>{s.pipeline} on {s.log}</option>)}</select></label></div>}
          <Codes key={state.id} state={state} code={code} />
        </>}
  </>;
}

function Codes({ state, code }: { readonly state: SavedState; readonly code: string | undefined }) {
  const { data, error, again } = useLoad<DeadCodes>(url(['dlq', state.id]), 10_000);
  const ref = useRoving<HTMLUListElement>();
  if (data === null) return error === null ? <Loading /> : <Problem error={error} />;
  const chosen = data.codes.find(c => c.code === code) ?? data.codes[0];
  if (chosen === undefined) return <Empty title="No dead letters">{data.replayed > 0 ? `${plural(data.replayed, 'letter')} were sent again. ` : ''}Records that cannot be used are kept here with their bytes, place and reason, and can be sent again after a repair.</Empty>;
  return <div class="side-by-side">
    <section class="card" aria-label="Codes"><header><h2>By code</h2>{data.replayed > 0 ? <span class="dim">{grouped(data.replayed)} sent again</span> : null}</header>
      <ul class="picks" ref={ref}>{data.codes.map(c => <li key={c.code}><a data-row href={to(['dead', state.id, c.code])} aria-current={c === chosen ? 'true' : undefined}><code>{c.code}</code><span class="dim">{short(c.n)}</span></a></li>)}</ul>
    </section>
    <OfCode key={chosen.code} state={state} code={chosen} again={again} />
  </div>;
}

function OfCode({ state, code, again }: { readonly state: SavedState; readonly code: DeadCode; readonly again: () => void }) {
  const [letters, setLetters] = useState<readonly DeadLetter[]>([]);
  const [next, setNext] = useState<number | null | undefined>(undefined);
  const [chosen, setChosen] = useState<DeadLetter | null>(null);
  const [asks, setAsks] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const load = (): void => {
    if (next === null) return;
    void get<DeadLetters>(url(['dlq', state.id, 'letters'], { code: code.code, limit: PAGE, before: next })).then(page => { setLetters(old => [...old, ...page.letters.filter(l => !old.some(o => o.id === l.id))]); setNext(page.next); }, setError);
  };
  useEffect(load, []);
  const replay = (body: { code: string } | { ids: string[] }): void => void post<Replayed>(url(['dlq', state.id, 'replay']), body).then(r => {
    const refused = Object.entries(r.refused).map(([why, n]) => `${n} ${why.replaceAll('_', ' ')}`).join(', ');
    say(`${plural(r.records, 'record')} sent again${refused === '' ? '' : `; not: ${refused}`}`);
    setError(null);
    again();
  }, setError);
  return <div class="stack">
    <section class="card" aria-label={code.code}>
      <header><h2><code>{code.code}</code></h2><span class="dim">{plural(code.n, 'letter')}, {time(code.first, Date.now())} to {time(code.last, Date.now())}</span>
        {mayAct.value ? <div class="right"><button type="button" onClick={() => setAsks(true)}>Replay all</button></div> : null}</header>
      <div class="body">{code.means === null ? null : <p>{code.means}</p>}{code.hint === null ? null : <p class="dim">{code.hint}</p>}</div>
    </section>
    {error === null ? null : <Problem error={error} />}
    <div class={chosen === null ? '' : 'split'}>
      <div class="card list"><div class="row-head letter-row" aria-hidden="true"><span>Kept (UTC)</span><span>From</span><span>Reason</span></div>
        <VirtualList rows={letters} idOf={l => l.id} label={`Dead letters of ${code.code}`} columns="letter-row" chosen={chosen?.id ?? null} choose={setChosen} more={load}>{l => <><span class="dim">{time(l.at, Date.now())}</span><span class="mono">{l.partition}:{l.offset} <span class="dim">{l.topic}</span></span><span>{l.message ?? l.code}</span></>}</VirtualList>
      </div>
      {chosen === null ? null : <Detail letter={chosen} onClose={() => setChosen(null)} replay={() => replay({ ids: [chosen.id] })} />}
    </div>
    {asks ? <Confirm title={`Send ${plural(code.n, 'record')} again?`} text={`All records with ${code.code} go back into their topic as new records. The pipeline has to be stopped.`} verb="Replay" onYes={() => replay({ code: code.code })} onClose={() => setAsks(false)} /> : null}
  </div>;
}

const UNFIT = { not_kept: 'Its bytes were not kept, so it cannot be sent again.', cut: 'Its bytes were cut, so it cannot be sent again.', no_record: 'It is a row between operators, not a record, so it cannot be sent again.', other_source: 'Its source is not in the pipeline any more.' } as const;

function Detail({ letter: l, onClose, replay }: { readonly letter: DeadLetter; readonly onClose: () => void; readonly replay: () => void }) {
  return <aside class="card detail" aria-label={`Dead letter ${l.id}`}>
    <header><h2>Letter {l.id}</h2>{l.size === null ? null : <span class="dim">{bytes(l.size)}</span>}<div class="right">{mayAct.value && l.unfit === null ? <button type="button" onClick={replay}>Replay</button> : null}<button type="button" class="plain" aria-label="Close the letter" onClick={onClose}><Icon name="close" /></button></div></header>
    <div class="body">
      <p>{l.message}</p>
      {l.unfit === null ? null : <p class="note">{UNFIT[l.unfit]}</p>}
      <dl class="facts">
        {[['Topic', l.topic], ['Partition', l.partition], ['Offset', grouped(l.offset)], ['Record time', `${time(l.timestamp, Number.NaN, true)}`], ['Source', l.source], ['Operator', l.operator], ['Place', l.place]].filter(([, v]) => v !== null).map(([k, v]) => <div class="fact" key={k}><dt>{k}</dt><dd>{v}</dd></div>)}
      </dl>
      <section class="part"><h3>Key</h3><Bytes key={`k${l.id}`} name="key" text={l.key} base64={l.key_base64} /></section>
      <section class="part"><h3>Value</h3><Bytes key={`v${l.id}`} name="value" text={l.value} base64={l.value_base64} />{l.truncated ? <p class="dim">Only its first part is shown.</p> : null}</section>
    </div>
  </aside>;
}
