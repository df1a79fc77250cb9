// NATS Server as an MQTT broker. Sources: NATS documentation, pages "MQTT" and "Connect MQTT devices to NATS" (3.1.1
// only: an MQTT 5 CONNECT gets CONNACK code 1), and the configuration reference of `mqtt` (`max_ack_pending`).
import type { Profile } from './profile.ts';

export const nats: Profile = {
  // `max_ack_pending` is 100 at first, and a filter that ends with # takes it twice.
  defaults: { protocolVersion: 4 },
  limits: { protocolVersions: [4] },
  rules: {
    maxQoS: 2,
    retain: true,
    publishPrefixes: [],
    sharedSubscriptions: false,
    replies: [],
  },
  presence: { kind: 'last-will', filters: [] },
};
