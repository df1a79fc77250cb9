// A message goes to all who shall have it.
import type { Message, QoS } from '../packets/message.ts';
import type { Delivery } from '../store/delivery.ts';
import type { Member } from './shared-group.ts';
import type { Route, Subscriptions } from './subscriptions.ts';

/** Who can get messages: a session. */
export interface Recipient extends Member {
  /** Resolves when the message is kept; undefined where it need not be, `full` where it is dropped. */
  deliver(delivery: Delivery): Promise<void> | undefined | 'full';
}

export interface Routed<R> {
  /** Somebody has subscribed. */
  readonly matched: boolean;
  /** All who have subscribed had no room for it. */
  readonly dropped: boolean;
  /** Somebody that had no room for it. */
  readonly full: R | undefined;
  /** Resolves when all who keep it have kept it; undefined where nobody has to. */
  readonly kept: Kept;
  /** Hands it to those who have waited. */
  deliver(): void;
}

type Kept = Promise<void> | undefined;

const lower = (one: QoS, other: QoS): QoS => (one < other ? one : other);

type Way = Pick<Route<unknown>, 'qos' | 'retainAsPublished' | 'ids'>;

/** Both are kept. What is written in the same turn of the event loop is one batch, and one promise. */
export const both = (one: Kept, other: Kept): Kept =>
  one === undefined || one === other
    ? other
    : other === undefined
      ? one
      : Promise.all([one, other]).then(() => {});

export class Router<R extends Recipient> {
  readonly #subscriptions: Subscriptions<R>;

  constructor(subscriptions: Subscriptions<R>) {
    this.#subscriptions = subscriptions;
  }

  /**
   * Hands the message to all who have subscribed. Where it `defers`, those who keep nothing have to wait until the
   * caller says `deliver`: it can have something to write or to answer first.
   */
  route(message: Message, publisher: R | undefined, defers = false): Routed<R> {
    const { members, groups } = this.#subscriptions.routesOf(message.topic);
    let kept: Kept;
    const later: (() => void)[] = [];
    let full: R | undefined;
    let taken = false;
    const give = (recipient: R, way: Way, share?: string) => {
      const delivery = {
        message,
        qos: lower(way.qos, message.qos),
        retain: way.retainAsPublished && message.retain,
        subscriptionIds: way.ids,
        share,
      };
      if (defers && !(recipient.kept && delivery.qos > 0)) {
        taken = true;
        later.push(() => recipient.deliver(delivery));
        return;
      }
      const keeping = recipient.deliver(delivery);
      if (keeping === 'full') full = recipient;
      else {
        taken = true;
        kept = both(kept, keeping);
      }
    };
    for (const route of members) {
      if (route.member !== publisher || route.local === undefined) give(route.member, route);
      else if (route.local !== 'none') give(route.member, route.local);
    }
    for (const group of groups) {
      const chosen = group.next(message.qos > 0);
      if (chosen === undefined) continue;
      const { qos, retainAsPublished, id, filter } = chosen.subscription;
      const ids = id === undefined ? undefined : [id];
      give(chosen.member, { qos, retainAsPublished, ids }, filter);
    }
    return {
      dropped: full !== undefined && !taken,
      full,
      matched: members.length > 0 || groups.length > 0,
      kept,
      deliver() {
        for (const one of later) one();
      },
    };
  }
}
