/** Strokes in a box of 20. */
const PATHS = {
  jobs: 'M3 15l4-5 3 3 4-7 3 4', topics: 'M4 5h12M4 10h12M4 15h7', state: 'M4 6c0-3 12-3 12 0v8c0 3-12 3-12 0zM4 6c0 3 12 3 12 0M4 10c0 3 12 3 12 0',
  dead: 'M10 3l7.5 13h-15zM10 8v4M10 14v.2', config: 'M4 6h7M15 6h1M13 4v4M4 14h1M9 14h7M7 12v4', sun: 'M10 6.5a3.5 3.5 0 100 7 3.5 3.5 0 000-7zM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1 1M14.7 14.7l1 1M15.7 4.3l-1 1M5.3 14.7l-1 1',
  moon: 'M16 12A7 7 0 018 4a6.5 6.5 0 108 8z', auto: 'M10 3a7 7 0 100 14zM10 3a7 7 0 010 14', help: 'M7.5 7.5c0-3.5 5.5-3.3 5.5 0 0 2-2.8 2.2-2.8 4.5M10.2 15v.2', close: 'M5 5l10 10M15 5L5 15',
  copy: 'M7 7h9v9H7zM4 13V4h9', pause: 'M7 5v10M13 5v10', play: 'M6 4l10 6-10 6z', stop: 'M5 5h10v10H5z', back: 'M12 4l-6 6 6 6', next: 'M8 4l6 6-6 6', source: 'M4 10h9M10 6l4 4-4 4', key: 'M12.5 4a3.5 3.5 0 11-2.6 5.8L4 15.7M6 13.5l1.8 1.8',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return <svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d={PATHS[name]} /></svg>;
}
