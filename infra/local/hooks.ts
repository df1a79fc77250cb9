// `--hook`: routes to endpoints of a developer's own, for this start, without a config or a secret to make.

import { routeSchema } from '../../bridge/config/route.ts';
import { parseWith } from '../../functions/contract/parse.ts';

/** A `--hook`, with the `--filter` and the `--format` that follow it. */
export interface Hook {
  readonly url: string;
  readonly filter?: string;
  readonly format?: string;
}

export type ParsedHooks =
  | { readonly ok: true; readonly hooks: readonly Hook[] }
  | { readonly ok: false; readonly faults: readonly string[] };

export type HookOption = 'hook' | 'filter' | 'format';

/** One message a request is what most handlers begin with. */
const defaultFormat = 'cloudevents';
/** Someone is waiting for it, with the handler in an editor. */
const retry = { capMs: 5000 };

/** The options as they stood on the command line. */
export function parseHooks(
  options: readonly { readonly name: HookOption; readonly value: string }[],
): ParsedHooks {
  const hooks: { -readonly [K in keyof Hook]: Hook[K] }[] = [];
  const faults: string[] = [];
  for (const { name, value } of options) {
    const last = hooks.at(-1);
    if (name === 'hook') hooks.push({ url: value });
    else if (last === undefined) faults.push(`--${name}: must follow the --hook that it is for`);
    else if (last[name] === undefined) last[name] = value;
    else faults.push(`--${name}: is there twice for --hook ${last.url}`);
  }
  for (const hook of hooks) {
    const parsed = parseWith(routeSchema, documentOf('hook', hook));
    if (!parsed.ok)
      faults.push(
        ...parsed.faults.map(
          ({ field, rule }) => `--${field === 'url' ? 'hook' : field} (${hook.url}): ${rule}`,
        ),
      );
  }
  return faults.length === 0 ? { ok: true, hooks } : { ok: false, faults };
}

export interface HookRoute {
  readonly name: string;
  readonly hook: Hook;
  /** For the bridge's document. */
  readonly document: object;
}

/** The routes of hooks. A name stays with its URL, so that a session finds its backlog at the next start. */
export function hookRoutes(hooks: readonly Hook[], secret: string): HookRoute[] {
  const taken = new Map<string, number>();
  return hooks.map((hook) => {
    const base = nameOf(hook.url);
    const count = (taken.get(base) ?? 0) + 1;
    taken.set(base, count);
    const name = count === 1 ? base : `${base}-${count}`;
    return { name, hook, document: { ...documentOf(name, hook), secret } };
  });
}

function documentOf(name: string, { url, filter = '#', format = defaultFormat }: Hook) {
  // Who types an address means it, wherever it is.
  return { name, filter, url, format, allowPrivate: true, retry };
}

/** Such as `hook-localhost-3000-x`; a route's name has 40 characters at most. */
function nameOf(url: string): string {
  const { host, pathname } = new URL(url);
  const words = `${host}${pathname}`.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return ['hook', ...words].join('-').slice(0, 36).replace(/-$/, '');
}
