// SUBSCRIBE, UNSUBSCRIBE, and the retained messages that a new subscription brings.

import { suback, unsuback } from '../packets/answers.ts';
import { type Frame, isFault } from '../packets/frames.ts';
import { Reason } from '../packets/reasons.ts';
import {
  matchingFilter,
  readSubscribe,
  readUnsubscribe,
  sharedFilter,
  type WantedSubscription,
} from '../packets/requests.ts';
import type { Retained, WantedRetained } from '../routing/retained.ts';
import { both } from '../routing/router.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import type { BrokerSettings } from '../settings/settings.ts';
import type { Delivery } from '../store/delivery.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { Announcer } from '../telemetry/events.ts';
import type { Connection } from './connection.ts';
import { levelsOf } from './publishing.ts';

export interface SubscribingParts {
  readonly limits: BrokerSettings['limits'];
  readonly sessions: Sessions;
  readonly retained: Retained;
  readonly counters: Counters;
  readonly announcer: Announcer;
  /** The session has a new share of a shared subscription. */
  readonly onShared: (session: Session) => void;
  /** A session has lost a message, as its queue was full. */
  readonly onDropped: (session: Session) => void;
}

export class Subscribing {
  readonly #parts: SubscribingParts;
  /** Retained messages that are still to be sent, for one SUBSCRIBE after the other. */
  readonly #sending = new WeakMap<Connection, { queue: Iterator<Delivery>[]; busy: boolean }>();

  constructor(parts: SubscribingParts) {
    this.#parts = parts;
  }

  subscribe(connection: Connection, frame: Frame): void {
    const { sessions, counters, announcer, retained } = this.#parts;
    const { version, session } = connection.client;
    const packet = readSubscribe(frame, version);
    if (isFault(packet)) return connection.fail(packet);
    const codes: number[] = [];
    const granted: WantedSubscription[] = [];
    const wanted: WantedRetained[] = [];
    let kept: Promise<void> | undefined;
    for (const one of packet.subscriptions) {
      const { filter, qos, noLocal, retainAsPublished, retainHandling } = one;
      const refusal = this.#refusal(connection, filter);
      const isNew = !session.subscriptions.has(filter);
      if (refusal !== undefined) {
        counters.subscriptionsRefused++;
        // A session can have what its user may have no more.
        if (!isNew) void sessions.unsubscribe(session, filter);
        codes.push(version === 5 ? refusal : Reason.unspecifiedError);
        continue;
      }
      const id = packet.subscriptionId;
      kept = both(
        kept,
        sessions.subscribe(session, { filter, qos, noLocal, retainAsPublished, id }),
      );
      codes.push(qos);
      granted.push(one);
      const sends = retainHandling === 0 || (retainHandling === 1 && isNew);
      if (sends && sharedFilter(filter) === undefined) wanted.push({ filter, qos, id });
    }
    connection.answers.add(suback(version, packet.packetId, codes), kept, () => {
      if (wanted.length > 0) this.#send(connection, retained.matching(wanted));
    });
    if (granted.some(({ filter }) => sharedFilter(filter) !== undefined))
      this.#parts.onShared(session);
    if (granted.length > 0)
      announcer.announce('subscribed', connection.facts, {
        subscriptions: granted.map(({ filter, qos }) => ({ filter, qos })),
      });
  }

  unsubscribe(connection: Connection, frame: Frame): void {
    const { sessions, announcer } = this.#parts;
    const { version, session } = connection.client;
    const packet = readUnsubscribe(frame, version);
    if (isFault(packet)) return connection.fail(packet);
    const ended: string[] = [];
    let kept: Promise<void> | undefined;
    const codes = packet.filters.map((filter) => {
      if (!session.subscriptions.has(filter)) return Reason.noSubscriptionExisted;
      ended.push(filter);
      kept = both(kept, sessions.unsubscribe(session, filter));
      return Reason.success;
    });
    connection.answers.add(unsuback(version, packet.packetId, codes), kept);
    if (ended.length > 0) announcer.announce('unsubscribed', connection.facts, { filters: ended });
  }

  /** The client has caught up with reading. */
  resume(connection: Connection): void {
    if (this.#sending.has(connection)) this.#sendOn(connection);
  }

  #refusal(connection: Connection, filter: string): number | undefined {
    const { limits } = this.#parts;
    const { rights, session } = connection.client;
    const inner = matchingFilter(filter);
    if (!rights.maySubscribe(inner)) return Reason.notAuthorized;
    if (levelsOf(inner) > limits.maxTopicLevels) return Reason.topicFilterInvalid;
    const { subscriptions } = session;
    const isFull = subscriptions.size >= limits.maxSubscriptions && !subscriptions.has(filter);
    return isFull ? Reason.quotaExceeded : undefined;
  }

  /** Sends retained messages as fast as the client reads. */
  #send(connection: Connection, messages: Iterator<Delivery>): void {
    const sending = this.#sending.get(connection) ?? { queue: [], busy: false };
    if (sending.queue.length > this.#parts.limits.maxSubscriptions)
      return connection.close(
        { reason: 'error', detail: 'too many SUBSCRIBEs while retained messages are being sent' },
        Reason.quotaExceeded,
      );
    this.#sending.set(connection, sending);
    sending.queue.push(messages);
    this.#sendOn(connection);
  }

  #sendOn(connection: Connection): void {
    const sending = this.#sending.get(connection);
    if (sending === undefined || sending.busy) return;
    const { queue } = sending;
    const { session } = connection.client;
    sending.busy = true;
    for (let sent = 0; queue.length > 0 && connection.state === 'open'; sent++) {
      if (connection.link.blocked) break;
      // Others want their turn of the event loop too.
      if (sent === 200) {
        setImmediate(() => this.#sendOn(connection));
        break;
      }
      const { value, done } = queue[0]?.next() ?? { value: undefined, done: true };
      if (done) queue.shift();
      else {
        const kept = session.deliver(value);
        if (kept === 'full') this.#parts.onDropped(session);
        else
          kept?.catch((error) =>
            connection.close({ reason: 'error', detail: String(error) }, Reason.quotaExceeded),
          );
      }
    }
    sending.busy = false;
    if (queue.length === 0) this.#sending.delete(connection);
  }
}
