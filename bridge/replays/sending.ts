// One step of a replay: what the handler did with some messages, or with a dead letter, and what is left to send.
import type { Message } from '../../functions/contract/message.ts';
import { maxRefusalText, type Refusal } from '../../functions/contract/replay.ts';
import type { Verdict } from '../handler/verdict.ts';
import type { Replay as ReplayLetter } from '../quarantine/replay.ts';
import type { Letter } from './sources.ts';

/** The outcome of one try. */
export interface Sent<T> {
  readonly delivered: number;
  /** What the handler will not take. */
  readonly refusals: readonly Refusal[];
  /** What has to be sent again, in order. */
  readonly again: readonly T[];
  /** Why, where there is any. */
  readonly waiting?: string | undefined;
  /** It is the handler that takes nothing now, and not these that it cannot take. */
  readonly outage?: boolean;
  /** How long the handler asked to wait. */
  readonly retryAfterMs?: number | undefined;
}

export type Send<T> = (entries: readonly T[]) => Promise<Sent<T>>;

/** Gives messages to a handler; a batch that it rejects is halved until the culprit stands alone. */
export function messageSender(
  post: (messages: readonly Message[]) => Promise<Verdict>,
): Send<Message> {
  return async function send(messages: readonly Message[]): Promise<Sent<Message>> {
    const verdict = await post(messages);
    switch (verdict.kind) {
      case 'answered': {
        const failed = messages.filter(({ id }) => verdict.failures.has(id));
        const failureOf = ({ id }: Message) => verdict.failures.get(id);
        const again = failed.filter((message) => failureOf(message)?.retryable !== false);
        return {
          delivered: messages.length - failed.length,
          refusals: failed
            .filter((message) => failureOf(message)?.retryable === false)
            .map((message) => refusalOf(message, failureOf(message)?.reason ?? 'no reason given')),
          again,
          ...(again[0] !== undefined && {
            waiting: failureOf(again[0])?.reason ?? 'no reason given',
          }),
        };
      }
      case 'rejected': {
        const [first, second] = messages;
        if (first === undefined) return { delivered: 0, refusals: [], again: [] };
        if (second === undefined)
          return { delivered: 0, refusals: [refusalOf(first, verdict.reason)], again: [] };
        const before = await send(firstHalf(messages));
        // The handler has gone in between: the others must neither overtake those nor ask it too early.
        if (before.outage === true)
          return { ...before, again: [...before.again, ...secondHalf(messages)] };
        return joined(before, await send(secondHalf(messages)));
      }
      default:
        return {
          delivered: 0,
          refusals: [],
          again: messages,
          waiting: verdict.reason,
          outage: true,
          ...('retryAfterMs' in verdict && { retryAfterMs: verdict.retryAfterMs }),
        };
    }
  };
}

/** Gives dead letters to their handlers, one by one; those that are taken leave the quarantine. */
export function letterSender(replay: ReplayLetter): Send<Letter> {
  return async function send(letters: readonly Letter[]): Promise<Sent<Letter>> {
    const [letter, ...others] = letters;
    if (letter === undefined) return { delivered: 0, refusals: [], again: [] };
    const fault = await replay(letter.id);
    const reason = fault?.detail ?? fault?.title ?? '';
    switch (fault?.code) {
      case undefined:
        return joined({ delivered: 1, refusals: [], again: [] }, await send(others));
      case 'not-found':
        // Somebody else replayed or deleted it.
        return send(others);
      case 'handler-refused':
      case 'route-unknown':
        return joined(
          { delivered: 0, refusals: [refusalOf(letter, reason)], again: [] },
          await send(others),
        );
      default:
        return { delivered: 0, refusals: [], again: letters, waiting: reason, outage: true };
    }
  };
}

/** A refusal as it is told; texts of devices and handlers may be of any length. */
export function refusalOf({ topic, id }: Letter, reason: string): Refusal {
  const cut = (text: string) => text.slice(0, maxRefusalText);
  return { topic: cut(topic), id: cut(id), reason: cut(reason) };
}

function firstHalf<T>(entries: readonly T[]): readonly T[] {
  return entries.slice(0, Math.ceil(entries.length / 2));
}

function secondHalf<T>(entries: readonly T[]): readonly T[] {
  return entries.slice(Math.ceil(entries.length / 2));
}

function joined<T>(a: Sent<T>, b: Sent<T>): Sent<T> {
  return {
    delivered: a.delivered + b.delivered,
    refusals: [...a.refusals, ...b.refusals],
    again: [...a.again, ...b.again],
    waiting: a.waiting ?? b.waiting,
    outage: a.outage === true || b.outage === true,
    retryAfterMs: a.retryAfterMs ?? b.retryAfterMs,
  };
}
