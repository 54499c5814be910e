import { useEffect, useRef } from 'preact/hooks';
import { helpOpen, PLACES } from './keys.ts';
import { connection, heardAt, info, jobs, mayAct } from './live.ts';
import { ConfigPage } from './pages/config.tsx';
import { DeadPage } from './pages/dead.tsx';
import { Help } from './pages/help.tsx';
import { JobPage } from './pages/job.tsx';
import { JobsPage } from './pages/jobs.tsx';
import { StatePage } from './pages/state.tsx';
import { TokenPage } from './pages/token.tsx';
import { TopicPage } from './pages/topic.tsx';
import { TopicsPage } from './pages/topics.tsx';
import { CopyByHand, said } from './parts/copy.tsx';
import { Icon } from './parts/icon.tsx';
import { Empty } from './parts/notes.tsx';
import { route, to } from './route.ts';
import { refused, token } from './session.ts';
import { nextTheme, theme } from './theme.ts';
import { time } from './format.ts';

/** The frame of all pages. */
export function App() {
  if (token.value === null || refused.value) return <TokenPage />;
  return <div class="frame">
    <a class="skip" href="#main" onClick={e => { e.preventDefault(); document.getElementById('main')?.focus(); }}>Skip to the page</a>
    <Side />
    <main id="main" tabIndex={-1}>
      <Away />
      <Page />
    </main>
    <div class="said" role="status">{said.value}</div>
    <CopyByHand />
    {helpOpen.value ? <Help /> : null}
  </div>;
}

function Side() {
  const at = route.value.parts[0];
  const icons = { auto: 'auto', light: 'sun', dark: 'moon' } as const;
  return <header class="side">
    <a class="brand" href={to(['jobs'])}><span class="mark" aria-hidden="true"><svg viewBox="0 0 32 32"><path d="M5 10h9c5 0 4 12 9 12h4M5 22h5" /></svg></span>pipe</a>
    <nav aria-label="Pages">
      {PLACES.map(([key, id, name]) => <a key={id} href={to([id])} aria-current={at === id ? 'page' : undefined} title={`g ${key}`}>
        <Icon name={id} /><span>{name}</span>{id === 'jobs' ? <Trouble /> : null}
      </a>)}
    </nav>
    <div class="foot">
      {info.value !== null && !mayAct.value ? <span class="badge quiet" title="Start pipe with --allow-actions to pause, drain, replay and send">read-only</span> : null}
      <button type="button" class="plain" aria-label={`Colours: ${theme.value}`} title={`Colours: ${theme.value}`} onClick={nextTheme}><Icon name={icons[theme.value]} /></button>
      <button type="button" class="plain" aria-label="Keys and help" title="Keys and help (?)" onClick={() => { helpOpen.value = true; }}><Icon name="help" /></button>
      {info.value === null ? null : <span class="version" title={info.value.data_dir}>{info.value.version}</span>}
    </div>
  </header>;
}

/** How many jobs need somebody. */
function Trouble() {
  const n = (jobs.value ?? []).filter(j => j.state === 'failed' || j.state === 'crashed' || (j.away && j.state === 'running')).length;
  return n === 0 ? null : <span class="count bad" aria-label={`${n} in trouble`}>{n}</span>;
}

function Away() {
  if (connection.value !== 'lost') return null;
  return <div class="note warn away" role="alert">
    <p><strong>pipe does not answer.</strong> {heardAt.value === 0 ? 'Nothing is known yet.' : `This is what it said at ${time(heardAt.value, Date.now())} UTC.`} Trying again; if it was stopped, start it: <code>pipe ui</code></p>
  </div>;
}

function Page() {
  const { parts } = route.value;
  const path = parts.slice(0, 2).join('/');
  const heading = useRef<string | null>(null);
  useEffect(() => {
    // a new page is read from its top; at the start the focus stays where the browser has it
    if (heading.current !== null && heading.current !== path) { document.getElementById('main')?.focus({ preventScroll: true }); scrollTo(0, 0); }
    heading.current = path;
    document.title = `${parts.slice(0, 2).reverse().join(' · ')} · pipe`;
  }, [path]);
  const [page, id, tab] = parts;
  switch (page) {
    case 'jobs': return id === undefined ? <JobsPage /> : <JobPage key={id} id={id} tab={tab ?? 'graph'} />;
    case 'topics': return id === undefined ? <TopicsPage /> : <TopicPage key={`${id}/${tab}`} log={id} topic={tab ?? ''} />;
    case 'state': return <StatePage id={id} table={tab} />;
    case 'dead': return <DeadPage id={id} code={tab} />;
    case 'config': return <ConfigPage id={id} />;
    default: return <Empty title="There is no such page">Choose one from the list.</Empty>;
  }
}
