// A member of a shared subscription whose client is away holds nothing up: what it has not got goes to those who are there.
import type { QoS } from '../packets/message.ts';
import { sharedFilter } from '../packets/requests.ts';
import type { Subscriptions } from '../routing/subscriptions.ts';
import type { Session } from './session.ts';

/**
 * Gives what a session has of its shared subscriptions to other members whose clients are connected, one after the
 * other, until its own client is back. What nobody has room for stays.
 */
export async function giveShares(
  session: Session,
  subscriptions: Subscriptions<Session>,
): Promise<void> {
  for (const share of sharesOf(session)) {
    const outbox = session.madeOutbox;
    const group = subscriptions.group(share);
    if (outbox === undefined || outbox.messages === 0 || group === undefined) continue;
    for await (const queued of outbox.givable(share)) {
      const other = session.connected ? undefined : group.next(false);
      if (other === undefined || !other.member.outbox.room.takes(queued.message)) break;
      const { qos, id } = other.subscription;
      // Both writes are in one batch of the store.
      const kept = other.member.deliver({
        ...queued,
        qos: Math.min(qos, queued.qos) as QoS,
        subscriptionIds: id === undefined ? undefined : [id],
      });
      if (kept !== 'full') kept?.catch(() => {});
      outbox.give(queued);
    }
  }
}

/** The shared subscriptions that a session has. */
export function sharesOf({ subscriptions }: Session): string[] {
  return [...subscriptions.keys()].filter((filter) => sharedFilter(filter) !== undefined);
}
