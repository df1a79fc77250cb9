// HiveMQ, on its own and as HiveMQ Cloud. Sources: HiveMQ documentation, page "MQTT-Specific Configuration": session
// expiry, keep-alive, packet size, QoS, retained messages and shared subscriptions are all the operator's to set, and
// announced on MQTT 5; its receive maximum is 10 at first. `queued-messages`: 1,000 for each client, newer ones are dropped.
import type { Profile } from './profile.ts';

export const hivemq: Profile = {
  defaults: { protocolVersion: 5 },
  limits: {},
  rules: {
    maxQoS: 2,
    retain: true,
    publishPrefixes: [],
    sharedSubscriptions: true,
    replies: [],
  },
  presence: { kind: 'last-will', filters: [] },
};
