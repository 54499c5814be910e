import type { ComponentChildren } from 'preact';
import { bytes } from '../../numbers.ts';
import type { TopicRecord } from '../../ui/answers.ts';
import { time } from '../format.ts';
import { Bytes } from './bytes.tsx';
import { Copy } from './copy.tsx';
import { Icon } from './icon.tsx';
import { VirtualList } from './virtual-list.tsx';

const recordId = (r: TopicRecord): string => `${r.partition}:${r.offset}`;

/** Cells of a record in a list. */
function RecordCells({ r }: { readonly r: TopicRecord }) {
  return <>
    <span class="dim">{r.partition}</span>
    <span class="num">{r.offset}</span>
    <span class="dim">{time(r.timestamp, Date.now())}</span>
    <span class="mono">{r.key ?? (r.key_base64 === undefined ? <span class="dim">null</span> : '(bytes)')}</span>
    <span class="mono">{r.value?.slice(0, 400) ?? (r.value_base64 === undefined ? <span class="dim">null</span> : '(bytes)')}</span>
  </>;
}

const RecordHead = () => <div class="row-head record-row" aria-hidden="true"><span>P</span><span class="num">Offset</span><span>Time (UTC)</span><span>Key</span><span>Value</span></div>;

interface ListProps {
  readonly rows: readonly TopicRecord[];
  readonly label: string;
  readonly chosen: TopicRecord | null;
  readonly choose: (r: TopicRecord) => void;
  readonly more?: (() => void) | undefined;
  readonly stick?: boolean;
  /** The chosen one. */
  readonly children: ComponentChildren;
}

/** Records, and beside them the one that is chosen. */
export function RecordList({ rows, label, chosen, choose, more, stick = false, children }: ListProps) {
  return <div class={chosen === null ? '' : 'split'}>
    <div class="card list"><RecordHead /><VirtualList rows={rows} idOf={recordId} label={label} columns="record-row" chosen={chosen === null ? null : recordId(chosen)} choose={choose} stick={stick} more={more}>{r => <RecordCells r={r} />}</VirtualList></div>
    {children}
  </div>;
}

interface Props {
  readonly r: TopicRecord;
  readonly onClose: () => void;
  readonly actions?: ComponentChildren;
}

/** All of one record. */
export function RecordDetail({ r, onClose, actions }: Props) {
  return <aside class="card detail" aria-label={`Record ${r.offset} of partition ${r.partition}`}>
    <header><h2>{r.partition}:{r.offset}</h2><span class="dim">{bytes(r.size)}</span><div class="right">{actions}<button type="button" class="plain" aria-label="Close the record" onClick={onClose}><Icon name="close" /></button></div></header>
    <div class="body">
      {r.truncated ? <p class="note warn">Only the first part of this record is shown.</p> : null}
      <dl class="facts"><div class="fact"><dt>Time</dt><dd>{time(r.timestamp, Number.NaN, true)} UTC</dd></div></dl>
      <Part name="Key" copy={r.key}><Bytes key={`k${recordId(r)}`} name="key" text={r.key} base64={r.key_base64} /></Part>
      <Part name="Value" copy={r.value}><Bytes key={`v${recordId(r)}`} name="value" text={r.value} base64={r.value_base64} /></Part>
      <Part name="Headers" copy={null}>{r.headers.length === 0 ? <p class="dim">none</p> : <dl class="facts mono">{r.headers.map((h, i) => <div class="fact" key={i}><dt>{h.key}</dt><dd>{h.value ?? (h.value_base64 === undefined ? 'null' : `base64 ${h.value_base64}`)}</dd></div>)}</dl>}</Part>
    </div>
  </aside>;
}

function Part({ name, copy, children }: { readonly name: string; readonly copy: string | null; readonly children: ComponentChildren }) {
  return <section class="part"><h3>{name}{copy === null ? null : <Copy text={copy} what={name.toLowerCase()} />}</h3>{children}</section>;
}
