// Where the reader is, in the fragment of the address: page, what is chosen on it, and its settings. No server sees it.
import { createStore } from './store.ts';

export interface Place {
  readonly page: string;
  /** What is chosen on the page, such as a route. */
  readonly chosen?: string;
  readonly settings: Readonly<Record<string, string>>;
}

export const place = createStore<Place>(placeIn(location.hash));
addEventListener('hashchange', () => place.set(placeIn(location.hash)));

/** The place that a fragment names. */
export function placeIn(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...rest] = path.split('/');
  const settings = Object.fromEntries(new URLSearchParams(query));
  const chosen = decoded(rest.join('/'));
  return { page, settings, ...(chosen !== '' && { chosen }) };
}

/** The fragment that leads there. */
export function linkTo(
  page: string,
  chosen?: string,
  settings: Readonly<Record<string, string | undefined>> = {},
): string {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined && value !== '');
  const query = new URLSearchParams(given as [string, string][]).toString();
  const path =
    chosen === undefined || chosen === '' ? page : `${page}/${encodeURIComponent(chosen)}`;
  return `#/${path}${query === '' ? '' : `?${query}`}`;
}

export function go(...to: Parameters<typeof linkTo>): void {
  location.hash = linkTo(...to);
}

/** Changes settings of the page; `chosen` stays, unless it is given. */
export function change(
  settings: Readonly<Record<string, string | undefined>>,
  chosen: string | undefined = place.value.chosen,
): void {
  const { page } = place.value;
  const link = linkTo(page, chosen, { ...place.value.settings, ...settings });
  history.replaceState(null, '', link);
  place.set(placeIn(link));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
