// Eclipse Mosquitto. Sources: man page mosquitto.conf(5) (`max_inflight_messages`, `max_queued_messages`,
// `max_keepalive`, `max_packet_size`), and `TOPIC_HIERARCHY_LIMIT` in its mosquitto_broker_internal.h.
import type { Profile } from './profile.ts';

export const mosquitto: Profile = {
  // Its window of 20 holds for MQTT 3.1.1 alone: on MQTT 5 it goes by the receive maximum of the client.
  defaults: { protocolVersion: 5 },
  limits: {},
  rules: {
    maxQoS: 2,
    retain: true,
    // It closes the connection on a topic of more levels.
    maxTopicLevels: 200,
    // `$CONTROL/` would be one, with the dynamic security plugin: who administers the broker has no need of this way.
    publishPrefixes: [],
    sharedSubscriptions: true,
    replies: [],
  },
  presence: { kind: 'last-will', filters: [] },
};
