// Light or dark, as the reader chose; by default as the system says.
import { createStore } from './store.ts';

export const themes = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

/** Also read by `theme.ts` before the first paint. */
const key = 'causeway.theme';

export const theme = createStore<Theme>(
  themes.find((name) => name === document.documentElement.dataset['theme']) ?? 'auto',
);

const system = matchMedia('(prefers-color-scheme: dark)');

/** Whether the system says dark: what is drawn on a canvas is drawn again when that changes. */
export const isSystemDark = createStore(system.matches);
system.addEventListener('change', ({ matches }) => isSystemDark.set(matches));

export function chooseTheme(chosen: Theme): void {
  const { dataset } = document.documentElement;
  if (chosen === 'auto') delete dataset['theme'];
  else dataset['theme'] = chosen;
  try {
    localStorage.setItem(key, chosen);
  } catch {
    // For this page alone.
  }
  theme.set(chosen);
}
