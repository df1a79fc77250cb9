// RabbitMQ with its MQTT plugin. Sources: RabbitMQ documentation, "MQTT Plugin" (sections "Supported MQTT features"
// and "Limitations"), and the post "MQTT 5.0 support is coming in RabbitMQ 3.13".
import type { Profile } from './profile.ts';

export const rabbitmq: Profile = {
  // Before 3.13 it has 3.1.1 only, which the bridge finds out. `mqtt.prefetch`, 10 at first, is the window there.
  defaults: {
    protocolVersion: 5,
    // `mqtt.max_session_expiry_interval_seconds` is one day at first; what asks for more gets that.
    sessionExpirySeconds: 86_400,
  },
  limits: {},
  rules: {
    // QoS 2 is taken as QoS 1.
    maxQoS: 1,
    retain: true,
    publishPrefixes: [],
    sharedSubscriptions: false,
    replies: [],
  },
  // "Topic level separator and wildcards": topics become AMQP routing keys, where levels are parted by dots.
  rewrites: { from: '.', to: '/' },
  presence: { kind: 'last-will', filters: [] },
};
