import { useState } from 'preact/hooks';
import { bytes, grouped } from '../../numbers.ts';
import type { Rows, SavedState, StateTable, States } from '../../ui/answers.ts';
import { ApiError, get, post, url } from '../api.ts';
import { short } from '../format.ts';
import { useLoad } from '../parts/load.ts';
import { Empty, Loading, Problem } from '../parts/notes.tsx';
import { Result } from '../parts/result.tsx';
import { useRoving } from '../parts/roving.ts';
import { go, to } from '../route.ts';

export function StatePage({ id, table }: { readonly id: string | undefined; readonly table: string | undefined }) {
  const { data, error } = useLoad<States>(url(['state']), 15_000);
  const states = data?.states ?? [];
  const state = states.find(s => s.id === id) ?? (id === undefined ? states[0] : undefined);
  return <>
    <div class="title"><h1>State</h1>{state === undefined ? null : <p class="sum">{state.pipeline} · {state.log} · {state.epoch === null ? '' : `epoch ${grouped(state.epoch)} · `}{bytes(state.bytes)}</p>}</div>
    {error === null ? null : <Problem error={error} />}
    {data === null ? (error === null ? <Loading /> : null) : states.length === 0
      ? <Empty title="No pipeline has state yet" command="pipe run pipelines/">State is saved from the first commit of a run on, and stays when the run ends.</Empty>
      : state === undefined ? <Empty title="There is no such state">Choose one of: {states.map(s => s.pipeline).join(', ')}.</Empty>
        : <>
          {states.length < 2 ? null : <div class="bar"><label>Pipeline<select value={state.id} onChange={e => go(['state', e.currentTarget.value])}>{states.map(s => <option key={s.id} value={s.id}>{s.pipeline} on {s.log}</option>)}</select></label></div>}
          {state.error === null ? <Tables key={state.id} state={state} chosen={state.tables.find(t => t.name === table) ?? state.tables.find(t => t.keys.length > 0) ?? state.tables[0]} /> : <Problem error={ApiError.of(0, state.error)} />}
        </>}
  </>;
}

function Tables({ state, chosen }: { readonly state: SavedState; readonly chosen: StateTable | undefined }) {
  const ref = useRoving<HTMLUListElement>();
  return <div class="side-by-side">
    <section class="card" aria-label="Tables"><header><h2>Tables</h2></header>
      <ul class="picks" ref={ref}>{state.tables.map(t => <li key={t.name}><a data-row href={to(['state', state.id, t.name])} aria-current={t.name === chosen?.name ? 'true' : undefined}><code>{t.name}</code><span class="dim">{t.rows === null ? '' : short(t.rows)}</span></a></li>)}</ul>
    </section>
    <div class="stack">
      {chosen === undefined ? null : <section class="card" key={chosen.name} aria-label={`Table ${chosen.name}`}>
        <header><h2><code>{chosen.name}</code></h2><span class="dim">{chosen.operator === null ? 'of the pipeline' : `state of ${chosen.operator}`}</span></header>
        <div class="body stack"><p class="columns">{chosen.columns.map(c => <code class="chip" key={c}>{c}</code>)}</p><LookUp state={state} table={chosen} /></div>
      </section>}
      <Query key={chosen?.name} state={state} table={chosen} />
    </div>
  </div>;
}

/** One group by its key. */
function LookUp({ state, table }: { readonly state: SavedState; readonly table: StateTable }) {
  const [values, setValues] = useState<readonly string[]>([]);
  const [answer, setAnswer] = useState<Rows | null>(null);
  const [error, setError] = useState<unknown>(null);
  if (table.keys.length === 0) return null;
  const ask = (e: Event): void => {
    e.preventDefault();
    setAnswer(null);
    void get<Rows>(url(['state', state.id, 'lookup'], { table: table.name, key: JSON.stringify(table.keys.map((_, i) => values[i] ?? '')) })).then(r => { setAnswer(r); setError(null); }, setError);
  };
  return <>
    <form class="bar" onSubmit={ask}>
      {table.keys.map((k, i) => <label key={k} class="grow">{k}<input class="code" data-filter={i === 0 ? '' : undefined} value={values[i] ?? ''} onInput={e => { const v = e.currentTarget.value; setValues(table.keys.map((_, j) => (j === i ? v : values[j] ?? ''))); }} /></label>)}
      <button type="submit">Look up</button>
    </form>
    {error === null ? null : <Problem error={error} />}
    {answer === null ? null : answer.rows.length === 0 ? <p class="dim">There is no group of this key.</p> : <Result result={answer} label={`Rows of ${table.name}`} />}
  </>;
}

/** SQL that reads. */
function Query({ state, table }: { readonly state: SavedState; readonly table: StateTable | undefined }) {
  const [sql, setSql] = useState(table === undefined ? 'SELECT 1' : `SELECT * FROM ${table.name} LIMIT 100`);
  const [answer, setAnswer] = useState<Rows | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const run = (): void => {
    if (busy) return;
    setBusy(true);
    void post<Rows>(url(['state', state.id, 'query']), { sql, limit: 1000 }).then(r => { setAnswer(r); setError(null); }, (e: unknown) => { setAnswer(null); setError(e); }).finally(() => setBusy(false));
  };
  return <section class="card" aria-label="SQL">
    <header><h2>SQL</h2><span class="dim">of SQLite, reads only: at most 1,000 rows and 5 s</span></header>
    <div class="body stack">
      <textarea rows={3} spellcheck={false} aria-label="SQL" value={sql} onInput={e => setSql(e.currentTarget.value)} onKeyDown={e => { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); run(); } }} />
      <div class="bar"><button type="button" class="primary" disabled={busy} onClick={run}>{busy ? 'Running…' : 'Run'}</button><span class="dim keys-hint"><kbd>Ctrl</kbd><kbd>Enter</kbd></span></div>
      {error === null ? null : <Problem error={error} />}
      {answer === null ? null : <Result result={answer} label="Rows of the query" />}
    </div>
  </section>;
}
