// What `npm start` tells while it runs, for people: what keeps a route from delivering, with the cure, and when that is
// over; and each request to a `--hook`.

import type { Condition } from '../../bridge/alerts/condition.ts';
import type { Change, ConditionWatch } from '../../bridge/alerts/condition-watch.ts';
import { cureOf } from '../../bridge/alerts/cure.ts';
import type { Call, OnCall } from '../../bridge/forwarding/handler-calls.ts';

export type Print = (line: string) => void;

/** How often conditions are looked at. */
const lookEveryMs = 250;
/** Lines about requests in one second; a terminal is no place for more. */
const maxLinesPerSecond = 20;
const maxTextCharacters = 300;

/** Prints what begins and what is over, until the function that it gives is called. */
export function reportConditions(
  conditions: () => readonly Condition[],
  watch: ConditionWatch,
  print: Print,
): () => void {
  const look = () => {
    for (const change of watch.look(conditions(), Date.now()))
      for (const line of changeLines(change)) print(line);
  };
  look();
  const timer = setInterval(look, lookEveryMs);
  return () => clearInterval(timer);
}

/** A change in lines of text; none where there is nothing to say. */
export function changeLines({ kind, condition, sinceMs, atMs }: Change): string[] {
  const { subject, reason } = condition;
  const at = timeOf(atMs);
  const what = titles[condition.kind];
  if (kind === 'ended') {
    const seconds = Math.round((atMs - sinceMs) / 1000);
    return what.over === undefined
      ? []
      : [`${at}  ${plain(subject)} ${what.over}, after ${seconds} s`];
  }
  const line = `${at}  ${plain(subject)} ${what.now}: ${plain(reason)}`;
  // The cure has been told when it began.
  if (kind === 'changed' && condition.kind !== 'holding') return [line];
  return [line, `          ${plain(cureOf(condition))}`];
}

const titles: Readonly<
  Record<Condition['kind'], { readonly now: string; readonly over?: string }>
> = {
  holding: { now: 'HOLDS', over: 'delivers again' },
  disabled: { now: 'IS DISABLED', over: 'is no longer disabled' },
  disconnected: { now: 'HAS NO SESSION', over: 'has a session again' },
  'dead-letters': { now: 'HAS DEAD LETTERS' },
  'session-lost': { now: 'HAS LOST A SESSION' },
  certificate: { now: 'certificate', over: 'certificate is renewed' },
  'client-offline': { now: 'IS OFFLINE', over: 'is online again' },
};

/** Prints each request of a route: time, topic, status, latency, and what its answer meant. */
export function reportCalls(route: string, print: Print): OnCall {
  let second = 0;
  let lines = 0;
  return (messages, call) => {
    const now = Math.floor(Date.now() / 1000);
    if (now !== second) {
      if (lines > maxLinesPerSecond)
        print(`          … and ${lines - maxLinesPerSecond} more requests in that second`);
      second = now;
      lines = 0;
    }
    if (++lines > maxLinesPerSecond) return;
    print(callLine(route, messages, call));
  };
}

/** One request in a line. */
export function callLine(
  route: string,
  messages: readonly { readonly topic: string }[],
  { at, status, latencyMs, verdict, isSent }: Call,
): string {
  const [first] = messages;
  const more = messages.length > 1 ? ` and ${messages.length - 1} more` : '';
  const sent = isSent ? [`${status ?? '—'}`, `${Math.round(latencyMs)} ms`] : ['not sent'];
  const parts = [
    timeOf(Date.parse(at)),
    route,
    `${plain(first?.topic ?? '')}${more}`,
    ...sent,
    plain(meaningOf(verdict)),
  ];
  return parts.join('  ');
}

function meaningOf(verdict: Call['verdict']): string {
  switch (verdict.kind) {
    case 'answered':
      return verdict.failures.size === 0
        ? 'delivered'
        : `delivered, less ${verdict.failures.size} that it names as failed`;
    case 'hold':
      return `holds, tries again: ${verdict.reason}`;
    case 'rejected':
      return `refused: ${verdict.reason}`;
    case 'gone':
      return `disabled: ${verdict.reason}`;
    case 'target refused':
      return `refused for its URL: ${verdict.reason}`;
  }
}

/** The time of day, here. */
function timeOf(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 8);
}

/** Topics and answers come from others: nothing in them may steer a terminal. */
function plain(text: string): string {
  return text.slice(0, maxTextCharacters).replaceAll(/\p{C}/gu, '�');
}
