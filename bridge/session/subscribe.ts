// SUBSCRIBE and UNSUBSCRIBE on one connection, and what the broker answered.

import { refusalText } from '../connection/end-reason.ts';
import type { Link } from '../connection/link.ts';
import { limitWait } from '../connection/waits.ts';

export type SubscribeOutcome =
  | { readonly kind: 'granted'; readonly qos: number }
  | { readonly kind: 'refused'; readonly reason: string }
  /** The connection has gone first: whether it was taken is not known. */
  | { readonly kind: 'disconnected' };

/** Subscribes. `filter` may be that of a shared subscription. */
export function subscribe(link: Link, filter: string, qos: 0 | 1): Promise<SubscribeOutcome> {
  const answered = new Promise<SubscribeOutcome>((resolve) => {
    // Retain Handling 1: a subscription that is there already brings no retained messages once more (MQTT 5).
    const end = limitWait(link, 'SUBSCRIBE');
    link.client.subscribe(filter, { qos, rh: 1 }, (error, granted) => {
      end();
      if (!link.client.connected) resolve({ kind: 'disconnected' });
      else if (error) resolve({ kind: 'refused', reason: refusalText(error) });
      else resolve({ kind: 'granted', qos: granted?.[0]?.qos ?? qos });
    });
  });
  return unlessClosed(link, answered, { kind: 'disconnected' });
}

/** Unsubscribes; whether the broker has confirmed it. */
export function unsubscribe(link: Link, filters: readonly string[]): Promise<boolean> {
  const answered = new Promise<boolean>((resolve) => {
    const end = limitWait(link, 'UNSUBSCRIBE');
    link.client.unsubscribe([...filters], (error, packet) => {
      end();
      // A reason code for each filter on MQTT 5; 0x11 says that there was no subscription [MQTT-3.11.3].
      const codes: unknown = packet !== undefined && 'granted' in packet ? packet.granted : [];
      const isRefused = Array.isArray(codes) && codes.some((code) => Number(code) >= 0x80);
      resolve(error == null && link.client.connected && !isRefused);
    });
  });
  return unlessClosed(link, answered, false);
}

async function unlessClosed<T>(link: Link, answered: Promise<T>, otherwise: T): Promise<T> {
  return Promise.race([answered, link.closed.then(() => otherwise)]);
}
