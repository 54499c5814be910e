import { grouped } from '../../numbers.ts';
import type { Tail } from '../tail.ts';
import { Icon } from './icon.tsx';

export function TailButtons({ tail }: { readonly tail: Tail }) {
  return <>
    <button type="button" aria-pressed={tail.frozen} onClick={tail.freeze}><Icon name={tail.frozen ? 'play' : 'pause'} />{tail.frozen ? 'Go on' : 'Freeze'}</button>
    <button type="button" onClick={tail.clear}>Clear</button>
  </>;
}

/** How many rows are there, and whether more come. */
export function TailNote({ tail }: { readonly tail: Tail }) {
  const state = tail.frozen ? 'frozen' : tail.state === 'open' ? 'live' : tail.state === 'lost' ? 'no connection' : 'connecting';
  return <p class="tail-note"><span class={`badge ${state === 'live' ? 'good' : state === 'no connection' ? 'bad' : 'warn'}`}>{state}</span> {grouped(tail.rows.length)} shown{tail.skipped > 0 ? `, ${grouped(tail.skipped)} came and are not shown` : ''}</p>;
}
