// China Mobile OneNET. Sources: OneNET documentation, MQTTS suite, pages "协议规范" (versions, QoS, will, sessions,
// topics) and "使用限制" (keep-alive, payload, topics, rates); things model, pages "通信主题" and "使用限制"; the older
// platform: "MQTT接入说明". Where the platforms differ in rates and sizes, the narrower limit stands here.
import type { BrokerRules } from '../../../functions/contract/broker-rules.ts';
import { oneNetTemplate } from '../../../functions/contract/onenet-topics.ts';
import type { Profile } from './profile.ts';

const replies: BrokerRules['replies'] = [
  { request: oneNetTemplate('commandRequest'), response: oneNetTemplate('commandResponse') },
  // Of the things model, one topic for the replies of a device: their JSON has the `id` of the request.
  ...(
    [
      ['propertySet', 'propertySetReply'],
      ['propertyGet', 'propertyGetReply'],
      ['serviceInvoke', 'serviceInvokeReply'],
    ] as const
  ).map(([request, response]) => ({
    request: oneNetTemplate(request),
    response: oneNetTemplate(response),
    correlation: '/id' as const,
  })),
];

export const onenet: Profile = {
  defaults: { protocolVersion: 4 },
  limits: {
    protocolVersions: [4],
    minKeepaliveSeconds: 10,
    // The older platform's; for the other, which takes less, see `oneNetFaults`.
    maxKeepaliveSeconds: 2000,
    maxSubscriptions: 10,
    // QoS 1: 100 in five seconds; above it, the device is locked out for five minutes.
    publishesPerSecond: 20,
    // Three logins in five seconds.
    minReconnectMs: 2000,
  },
  rules: {
    maxQoS: 1,
    retain: false,
    maxPayloadBytes: 256 * 1024,
    maxTopicBytes: 512,
    maxTopicLevels: 8,
    publishPrefixes: ['$sys/'],
    subscribePrefixes: ['$sys/'],
    sharedSubscriptions: false,
    replies,
  },
  // Who is online comes by the HTTP push.
  presence: { kind: 'last-will', filters: [] },
};
