// One step of a replay: what the handler did with some messages, or with a dead letter, and what is left to send.
import type { Message } from '../../functions/contract/message.ts';
import { maxRefusalText, type Refusal } from '../../functions/table/replay.ts';
import type {
  Replay as ReplayDeadLetter,
  ReplayVerdict,
} from '../dead-letters/dead-letter-replay.ts';
import {
  type CulpritLimits,
  isCulprit,
  type Suspicion,
  suspicionAfter,
} from '../forwarding/culprit.ts';
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
const limits: CulpritLimits = { tries: maxTries, afterMs: 0 };

export interface MessageHandler {
  post(messages: readonly Message[]): Promise<ReplayVerdict>;
  /** Messages that others have brought to it so far. */
  othersDelivered(): number;
  /** Told of each message that it will not take. */
  refused?(message: Message): void;
}

/**
 * Gives messages to a handler; a batch that it rejects is halved until the culprit stands alone. So is one that it fails
 * on, as often as others were delivered since it did last: while nothing is, it is an outage, and that is waited for.
 */
export function messageSender(handler: MessageHandler): Send<Message> {
  const { post, othersDelivered } = handler;
  let maxTogether = Number.POSITIVE_INFINITY;
  /** What speaks against the first message, by the law of forwarding; nothing before others have been delivered. */
  let suspicion: Suspicion = {
    charges: 0,
    alone: 0,
    servedAt: othersDelivered(),
    sinceMs: performance.now(),
  };
  const clear = () => {
    suspicion = { ...suspicion, charges: 0, alone: 0 };
  };

  function refusal(message: Message, reason: string): Refusal {
    handler.refused?.(message);
    return refusalOf(message, reason);
  }

  /** Notes a failure; true where it is counted, and no longer taken for an outage. */
  function isCounted(verdict: ReplayVerdict, together: number): boolean {
    if (verdict.kind !== 'hold' || verdict.suspicious !== true) return false;
    const failure = { together, served: othersDelivered(), nowMs: performance.now() };
    const before = suspicion;
    suspicion = suspicionAfter(before, failure);
    return suspicion.charges > before.charges;
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
    if (messages.length > maxTogether) return inParts(messages, maxTogether);
    const verdict = await post(messages);
    switch (verdict.kind) {
      case 'answered': {
        maxTogether *= 2;
        clear();
        const failed = messages.filter(({ id }) => verdict.failures.has(id));
        const failureOf = ({ id }: Message) => verdict.failures.get(id);
        const again = failed.filter((message) => failureOf(message)?.retryable !== false);
        return {
          delivered: messages.length - failed.length,
          refusals: failed
            .filter((message) => failureOf(message)?.retryable === false)
            .map((message) => refusal(message, failureOf(message)?.reason ?? 'no reason given')),
          again,
          ...(again[0] !== undefined && {
            waiting: failureOf(again[0])?.reason ?? 'no reason given',
          }),
        };
      }
      case 'rejected': {
        const [first, second] = messages;
        if (first === undefined) return { delivered: 0, refusals: [], again: [] };
        if (second === undefined) {
          clear();
          return { delivered: 0, refusals: [refusal(first, verdict.reason)], again: [] };
        }
        return inParts(messages, Math.ceil(messages.length / 2));
      }
      default: {
        const [only, ...others] = messages;
        if (only !== undefined && isCounted(verdict, messages.length))
          maxTogether = Math.ceil(messages.length / 2);
        if (only !== undefined && others.length === 0)
          if (isCulprit(suspicion, limits, performance.now())) {
            clear();
            return { delivered: 0, refusals: [refusal(only, verdict.reason)], again: [] };
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

/** Gives dead letters to their handlers, one by one; those that are taken are deleted. */
export function deadLetterSender(replay: ReplayDeadLetter): Send<Letter> {
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
        // Given up it stays among the dead letters, so that costs nothing; waited for, it would hold up all others.
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
