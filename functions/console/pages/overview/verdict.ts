// The one sentence that the overview begins with: whether everything flows, and what does not.
import type { Route } from '../../client/operations.ts';
import { count, counted } from '../../components/format.ts';

export interface Verdict {
  readonly tone: 'ok' | 'warn' | 'bad' | 'quiet';
  readonly title: string;
  /** The route that needs a look first. */
  readonly route?: Route;
}

/** States in which somebody should look, the gravest first, with what they do in words. */
const troubles = [
  ['disconnected', 'is not connected', 'are not connected'],
  ['disabled', 'is disabled by its handler', 'are disabled by their handlers'],
  ['unknown', 'waits to know whether it is paused', 'wait to know whether they are paused'],
  ['holding', 'holds', 'hold'],
  ['removed', 'is no longer in the config', 'are no longer in the config'],
  ['paused', 'is paused', 'are paused'],
] as const;

export function verdictOf(routes: readonly Route[]): Verdict {
  if (routes.length === 0) return { tone: 'quiet', title: 'The bridge has no routes.' };
  for (const [state, one, several] of troubles) {
    const troubled = routes.filter((route) => route.state === state);
    const [route] = troubled;
    if (route === undefined) continue;
    const who =
      routes.length === 1
        ? `The route ${one}.`
        : troubled.length === routes.length
          ? `All ${count(routes.length)} routes ${several}.`
          : `${count(troubled.length)} of ${counted(routes.length, 'route')} ${troubled.length === 1 ? one : several}.`;
    const tone =
      state === 'paused' || state === 'removed'
        ? 'quiet'
        : state === 'disconnected'
          ? 'bad'
          : 'warn';
    return { tone, title: `${who} Nothing is lost.`, route };
  }
  if (routes.every(({ state }) => state === 'standby'))
    return { tone: 'quiet', title: 'This bridge is on standby: another one has the sessions.' };
  const title =
    routes.length === 1 ? 'The route flows.' : `All ${count(routes.length)} routes flow.`;
  return { tone: 'ok', title };
}
