// EMQX. Sources: EMQX documentation, pages "MQTT Configuration", "Inflight and Queue" (`mqtt.max_mqueue_len`: 1,000 for each
// session, then the oldest are dropped), "Delayed Publish", "Exclusive Subscription" and "System Topic"; what its operator
// can set is announced on MQTT 5, and is no rule here.
import type { Profile } from './profile.ts';

export const emqx: Profile = {
  // `mqtt.max_inflight`, 32 at first, goes before a larger receive maximum (`receive_maximum/2` in emqx_channel.erl):
  // until it is raised, a larger window stays unfilled.
  defaults: { protocolVersion: 5 },
  limits: {},
  rules: {
    maxQoS: 2,
    retain: true,
    // `$delayed/<seconds>/<topic>` publishes later.
    publishPrefixes: ['$delayed/'],
    sharedSubscriptions: true,
    replies: [],
  },
  presence: {
    kind: 'emqx',
    // By default only clients on the broker's own host may subscribe to `$SYS/#`: acl.conf has to allow it.
    // A client id can have slashes, so no narrower filter has all of them.
    filters: ['$SYS/brokers/+/clients/#'],
  },
};
