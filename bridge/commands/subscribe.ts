// One SUBSCRIBE on one connection, and what the broker made of it.

import { refusalText } from '../connection/end-reason.ts';
import type { Link } from '../connection/link.ts';
import { limitWait } from '../connection/waits.ts';

export type Subscribed =
  | { readonly kind: 'subscribed' }
  | { readonly kind: 'refused'; readonly reason: string }
  /** The connection ended before the answer. */
  | { readonly kind: 'offline' };

/** Resolves with the broker's answer; one that gives none in time is taken for gone, as with a publish. */
export function subscribeOnce(
  link: Link,
  filter: string,
  ackTimeoutMs: number,
): Promise<Subscribed> {
  return new Promise((resolve) => {
    const answered = limitWait(link, 'SUBSCRIBE', ackTimeoutMs);
    const settle = (subscribed: Subscribed) => {
      answered();
      resolve(subscribed);
    };
    // Retain handling 2: replies from before the question are not wanted (MQTT 5).
    link.client.subscribe(filter, { qos: 1, rh: 2 }, (error) => {
      if (!error) return settle({ kind: 'subscribed' });
      // MQTT.js 5.16 gives the SUBACK with a refusal, and no code; without one it is the end of the connection.
      const isRefused = 'packet' in error && error.packet !== undefined;
      const reason = `subscription to the response topic: ${refusalText(error)}`;
      settle(isRefused ? { kind: 'refused', reason } : { kind: 'offline' });
    });
  });
}
