import { useRoving } from './roving.ts';
import { to } from '../route.ts';

interface Props {
  readonly label: string;
  /** Path of the page without the tab. */
  readonly base: readonly string[];
  readonly tabs: readonly (readonly [id: string, name: string])[];
  readonly current: string;
}

/** Pages of one thing: links, so that each has an address. */
export function Tabs({ label, base, tabs, current }: Props) {
  const ref = useRoving<HTMLElement>();
  return <nav class="tabs" aria-label={label} ref={ref}>
    {tabs.map(([id, name]) => <a key={id} data-row href={to([...base, id])} aria-current={id === current ? 'page' : undefined}>{name}</a>)}
  </nav>;
}
