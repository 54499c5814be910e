import { useState } from 'preact/hooks';
import type { JobReport } from '../../observe/job.ts';
import type { TopicRecord } from '../../ui/answers.ts';
import { flow, readJson } from '../exact-json.ts';
import { copy } from '../parts/copy.tsx';
import { Icon } from '../parts/icon.tsx';
import { Empty, Problem } from '../parts/notes.tsx';
import { RecordDetail, RecordList } from '../parts/record.tsx';
import { TailButtons, TailNote } from '../parts/tail-bar.tsx';
import { to } from '../route.ts';
import { useTail, type Tail } from '../tail.ts';

/** Rows of the sinks as they come. */
export function OutputTab({ job }: { readonly job: JobReport }) {
  const [name, setName] = useState(job.sinks[0]?.name ?? '');
  const sink = job.sinks.find(s => s.name === name);
  const tail = useTail(sink === undefined ? null : { log: job.log.id, name: sink.topic });
  if (sink === undefined) return <Empty title="This job has no sink" />;
  return <>
    <div class="bar">
      <label>Sink<select value={name} onChange={e => setName(e.currentTarget.value)}>{job.sinks.map(s => <option key={s.name} value={s.name}>{s.name}</option>)}</select></label>
      <TailButtons tail={tail} />
      <a class="button" href={to(['topics', job.log.id, sink.topic])}>All of {sink.topic}</a>
      <TailNote tail={tail} />
    </div>
    {tail.error === null ? null : <Problem error={tail.error} />}
    <Rows job={job} tail={tail} sink={sink.name} />
  </>;
}

function Rows({ job, tail, sink }: { readonly job: JobReport; readonly tail: Tail; readonly sink: string }) {
  const [chosen, setChosen] = useState<TopicRecord | null>(null);
  if (tail.rows.length === 0) return <Empty title="No row has come since this page opened" command={`pipe topics tail ${job.sinks.find(s => s.name === sink)?.topic ?? sink} -n 20`}>Rows appear here as they are committed. The Time page says what it waits for; the topic holds the earlier ones.</Empty>;
  return <RecordList rows={tail.rows} label={`Rows of ${sink}`} chosen={chosen} choose={setChosen} stick>
    {chosen === null ? null : <RecordDetail r={chosen} onClose={() => setChosen(null)} actions={<button type="button" onClick={() => void copy(asTest(job, sink, chosen), 'test')}><Icon name="copy" />Copy as test</button>} />}
  </RecordList>;
}

/** A row as the expectation of a test in the pipeline's file. */
function asTest(job: JobReport, sink: string, r: TopicRecord): string {
  const json = readJson(r.value ?? 'null');
  return [
    'tests:', `  - name: ${JSON.stringify(`${sink} gives the row of ${r.partition}:${r.offset}`)}`, '    input:',
    ...job.sources.map(s => `      ${JSON.stringify(s.name)}: []   # the records that lead to it`),
    '    expect:', `      ${JSON.stringify(sink)}:`, `        - ${json === undefined ? JSON.stringify(r.value) : flow(json)}`, '',
  ].join('\n');
}
