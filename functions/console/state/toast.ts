// A line that says that something was done, for a few seconds.
import { createStore } from './store.ts';

export const toast = createStore<string | undefined>(undefined);

const shownMs = 4000;
let timer: ReturnType<typeof setTimeout> | undefined;

export function say(text: string): void {
  clearTimeout(timer);
  toast.set(text);
  timer = setTimeout(() => toast.set(undefined), shownMs);
}

export async function copy(text: string, said = 'Copied'): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(said);
  } catch {
    say('The browser does not let this page copy');
  }
}
