import { useState } from 'preact/hooks';
import type { Topic } from '../../ui/answers.ts';
import { post, url } from '../api.ts';
import { say } from '../parts/copy.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Problem } from '../parts/notes.tsx';

/** `name: value` lines. */
const headersOf = (text: string): { key: string; value: string }[] => text.split('\n').filter(l => l.trim() !== '').map(l => { const at = l.indexOf(':'); return { key: (at < 0 ? l : l.slice(0, at)).trim(), value: at < 0 ? '' : l.slice(at + 1).trim() }; });

export function Send({ topic, onClose }: { readonly topic: Topic; readonly onClose: () => void }) {
  const [form, setForm] = useState({ key: '', value: '', headers: '', partition: '' });
  const [error, setError] = useState<unknown>(null);
  const set = (part: Partial<typeof form>): void => setForm({ ...form, ...part });
  const send = (e: Event): void => {
    e.preventDefault();
    const body = { key: form.key === '' ? null : form.key, value: form.value, headers: headersOf(form.headers), partition: form.partition === '' ? null : Number(form.partition), log: topic.log };
    void post(url(['topics', topic.name, 'records']), body).then(() => { say(`Sent to ${topic.name}`); onClose(); }, setError);
  };
  return <Dialog title={`Send to ${topic.name}`} onClose={onClose}>
    <form class="form" onSubmit={send}>
      <label>Value<textarea rows={6} spellcheck={false} value={form.value} onInput={e => set({ value: e.currentTarget.value })} /></label>
      <div class="bar">
        <label class="grow">Key (empty: none)<input class="code" value={form.key} onInput={e => set({ key: e.currentTarget.value })} /></label>
        <label>Partition<select value={form.partition} onChange={e => set({ partition: e.currentTarget.value })}><option value="">by the key</option>{topic.partitions.map(p => <option key={p.partition} value={String(p.partition)}>{p.partition}</option>)}</select></label>
      </div>
      <label>Headers, a line each: name: value<textarea rows={2} spellcheck={false} value={form.headers} onInput={e => set({ headers: e.currentTarget.value })} /></label>
      {error === null ? null : <Problem error={error} />}
      <div class="actions"><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="primary">Send</button></div>
    </form>
  </Dialog>;
}
