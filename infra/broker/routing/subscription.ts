// What a client asked for with one filter.
import type { QoS } from '../packets/message.ts';

export interface Subscription {
  /** As it was sent, `$share/…` included. */
  readonly filter: string;
  readonly qos: QoS;
  /** Not what the client publishes itself [MQTT-3.8.3-3]. */
  readonly noLocal: boolean;
  /** With the retain flag of the publisher; without it, as of no retained message [MQTT-3.3.1-12]. */
  readonly retainAsPublished: boolean;
  /** Told with each message that comes by it [MQTT-3.3.4-3]. */
  readonly id: number | undefined;
}

/** As MQTT before 5 has them. */
export const plainSubscription = (filter: string, qos: QoS): Subscription => ({
  filter,
  qos,
  noLocal: false,
  retainAsPublished: false,
  id: undefined,
});
