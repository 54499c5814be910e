import { effect, signal } from '@preact/signals';

const KEY = 'pipe-theme';
const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = typeof THEMES[number];

const saved = localStorage.getItem(KEY) as Theme | null;
export const theme = signal<Theme>(saved !== null && THEMES.includes(saved) ? saved : 'auto');

/** Auto, light, dark, auto... */
export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] as Theme;
  localStorage.setItem(KEY, theme.value);
}

effect(() => { document.documentElement.dataset['theme'] = theme.value; });
