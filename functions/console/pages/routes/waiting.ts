// What waits on a route, since when, and what happens next.
import type { Route } from '../../client/operations.ts';
import { counted, span } from '../../components/format.ts';

/** Messages that wait: at the broker, where it tells it; else those that the bridge has taken. */
export const waitingOf = ({
  backlogMessages,
  unsettledMessages,
}: Pick<Route, 'backlogMessages' | 'unsettledMessages'>): number =>
  backlogMessages ?? unsettledMessages;

/** `It has waited for 11 min. The broker keeps 214 messages. The next try is in 12 s.` */
export function consequenceOf(route: Route, nowMs: number): string {
  const { state, holdingSince, tries = 0 } = route;
  const waiting = waitingOf(route);
  const where = route.backlogMessages === undefined ? 'The bridge has' : 'The broker keeps';
  const kept = waiting === 0 ? [] : [`${where} ${counted(waiting, 'message')}.`];
  if (state !== 'holding') return kept.join('');
  const tried = tries === 0 ? '' : `, and tried ${counted(tries, 'time')}`;
  return [
    ...(holdingSince === undefined
      ? []
      : [`It has waited for ${span(nowMs - Date.parse(holdingSince))}${tried}.`]),
    ...kept,
    nextTryText(route, nowMs),
  ].join(' ');
}

export function nextTryText({ nextTryAt }: Pick<Route, 'nextTryAt'>, nowMs: number): string {
  const leftMs = nextTryAt === undefined ? 0 : Date.parse(nextTryAt) - nowMs;
  return leftMs > 0 ? `The next try is in ${span(leftMs)}.` : 'The bridge tries again.';
}
