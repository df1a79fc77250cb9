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

/** How often a message is given to a handler that takes others; after that it counts as refused. */
export const maxTries = 10;

export interface MessageHandler {
  post(messages: readonly Message[]): Promise<Verdict>;
  /** Messages that others have brought to it so far. */
  othersDelivered(): number;
}

/**
 * Gives messages to a handler; a batch that it rejects is halved until the culprit stands alone. So is one that it fails
 * on, as often as others were delivered since it did last: while nothing is, it is an outage, and that is waited for.
 */
export function messageSender({ post, othersDelivered }: MessageHandler): Send<Message> {
  let mostTogether = Number.POSITIVE_INFINITY;
  let deliveredBefore = othersDelivered();
  /** Of the first message, alone, while others were delivered. */
  let failures = 0;

  /** Whether a failure speaks against these messages, and no longer for an outage. */
  function isCharge(verdict: Verdict): boolean {
    if (verdict.kind !== 'hold' || verdict.suspicious !== true) return false;
    const delivered = othersDelivered();
    const isCounted = delivered > deliveredBefore;
    deliveredBefore = delivered;
    return isCounted;
  }

  async function inParts(messages: readonly Message[], size: number): Promise<Sent<Message>> {
    const before = await send(messages.slice(0, size));
    // The handler has gone in between: the others must neither overtake those nor ask it too early.
    if (before.outage === true)
      return { ...before, again: [...before.again, ...messages.slice(size)] };
    return joined(before, await send(messages.slice(size)));
  }

  return send;

  async function send(messages: readonly Message[]): Promise<Sent<Message>> {
    if (messages.length > mostTogether) return inParts(messages, mostTogether);
    const verdict = await post(messages);
    switch (verdict.kind) {
      case 'answered': {
        mostTogether *= 2;
        failures = 0;
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
        return inParts(messages, Math.ceil(messages.length / 2));
      }
      default: {
        const [only, ...others] = messages;
        if (only !== undefined && isCharge(verdict)) {
          mostTogether = Math.ceil(messages.length / 2);
          if (others.length === 0 && ++failures === maxTries) {
            failures = 0;
            return { delivered: 0, refusals: [refusalOf(only, verdict.reason)], again: [] };
          }
        }
        return {
          delivered: 0,
          refusals: [],
          again: messages,
          waiting: verdict.reason,
          outage: true,
          ...('retryAfterMs' in verdict && { retryAfterMs: verdict.retryAfterMs }),
        };
      }
    }
  }
}

/** Gives dead letters to their handlers, one by one; those that are taken leave the quarantine. */
export function letterSender(replay: ReplayLetter): Send<Letter> {
  return async function send(letters: readonly Letter[]): Promise<Sent<Letter>> {
    const [letter, ...others] = letters;
    if (letter === undefined) return { delivered: 0, refusals: [], again: [] };
    const fault = await replay(letter.id);
    const reason = fault?.problem.detail ?? fault?.problem.title ?? '';
    switch (fault?.problem.code) {
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
        // Given up it stays in the quarantine, so that costs nothing; waited for, it would hold up all others.
        return {
          delivered: 0,
          refusals: [],
          again: letters,
          waiting: reason,
          outage: fault?.suspicious !== true,
        };
    }
  };
}

/** A refusal as it is told; texts of devices and handlers may be of any length. */
export function refusalOf({ topic, id }: Letter, reason: string): Refusal {
  const cut = (text: string) => text.slice(0, maxRefusalText);
  return { topic: cut(topic), id: cut(id), reason: cut(reason) };
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
