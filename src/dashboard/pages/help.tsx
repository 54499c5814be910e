import { Dialog } from '../parts/dialog.tsx';
import { helpOpen, PLACES } from '../keys.ts';

const KEYS: readonly (readonly [keys: readonly string[], what: string])[] = [
  ...PLACES.map(([key, , name]) => [['g', key], name] as const),
  [['/'], 'Filter or search field of the page'],
  [['↑', '↓'], 'Move in a list, tabs or a graph'],
  [['Home', 'End'], 'First and last of a list'],
  [['Enter'], 'Open what has the focus'],
  [['f'], 'Freeze or go on, where rows come in'],
  [['Ctrl', 'Enter'], 'Run the query'],
  [['Esc'], 'Leave a field or close a dialog'],
  [['?'], 'This help'],
];

export function Help() {
  return <Dialog title="Keys" onClose={() => { helpOpen.value = false; }}>
    <dl class="keys">{KEYS.map(([keys, what]) => <div key={what}><dt>{keys.map(k => <kbd key={k}>{k}</kbd>)}</dt><dd>{what}</dd></div>)}</dl>
    <p class="dim">Times are UTC. A rate is the mean of the last two seconds; a line shows ten minutes.</p>
  </Dialog>;
}
