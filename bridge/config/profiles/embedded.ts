// The embedded broker of this repository, as `npm start` and `npm run broker` have it (infra/broker). Figures: the
// defaults of its settings; what its operator can set is announced on MQTT 5, and is no limit here.
import type { Profile } from './profile.ts';

export const embedded: Profile = {
  defaults: { protocolVersion: 5 },
  limits: {},
  rules: {
    maxQoS: 2,
    retain: true,
    // `maxTopicLevels`. It refuses a publish and a subscription with more.
    maxTopicLevels: 32,
    // `$events/` and `$SYS/` are its own.
    publishPrefixes: [],
    sharedSubscriptions: true,
    replies: [],
  },
  presence: { kind: 'embedded', filters: ['$events/client/+'] },
};
