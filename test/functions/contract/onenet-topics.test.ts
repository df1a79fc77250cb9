import { describe, expect, test } from 'vitest';
import {
  type OneNetTopicKind,
  oneNetTemplate,
  oneNetTopic,
  parseOneNetTopic,
} from '../../../functions/contract/onenet-topics.ts';
import { fc } from '../../support/property.ts';

const device = { productId: '123123', device: 'lamp-7' };

const documented: readonly (readonly [OneNetTopicKind, string, object])[] = [
  ['dataPoints', '$sys/123123/lamp-7/dp/post/json', {}],
  ['dataPointsAccepted', '$sys/123123/lamp-7/dp/post/json/accepted', {}],
  ['dataPointsRejected', '$sys/123123/lamp-7/dp/post/json/rejected', {}],
  ['commandRequest', '$sys/123123/lamp-7/cmd/request/c1', { commandId: 'c1' }],
  ['commandResponse', '$sys/123123/lamp-7/cmd/response/c1', { commandId: 'c1' }],
  ['commandResponseAccepted', '$sys/123123/lamp-7/cmd/response/c1/accepted', { commandId: 'c1' }],
  ['commandResponseRejected', '$sys/123123/lamp-7/cmd/response/c1/rejected', { commandId: 'c1' }],
  ['propertyPost', '$sys/123123/lamp-7/thing/property/post', {}],
  ['propertyPostReply', '$sys/123123/lamp-7/thing/property/post/reply', {}],
  ['propertySet', '$sys/123123/lamp-7/thing/property/set', {}],
  ['propertySetReply', '$sys/123123/lamp-7/thing/property/set_reply', {}],
  ['propertyGet', '$sys/123123/lamp-7/thing/property/get', {}],
  ['propertyGetReply', '$sys/123123/lamp-7/thing/property/get_reply', {}],
  ['eventPost', '$sys/123123/lamp-7/thing/event/post', {}],
  ['eventPostReply', '$sys/123123/lamp-7/thing/event/post/reply', {}],
  ['serviceInvoke', '$sys/123123/lamp-7/thing/service/reboot/invoke', { service: 'reboot' }],
  [
    'serviceInvokeReply',
    '$sys/123123/lamp-7/thing/service/reboot/invoke_reply',
    { service: 'reboot' },
  ],
  ['pushed', '$sys/123123/lamp-7/push/lifeCycle', { type: 'lifeCycle' }],
];

test.each(documented)('%s is %s, both ways', (kind, topic, parts) => {
  expect(oneNetTopic(kind, { ...device, ...parts })).toBe(topic);
  expect(parseOneNetTopic(topic)).toEqual({ kind, ...device, ...parts });
});

test.each([
  '',
  '$sys',
  '$sys/',
  '$sys/123123',
  '$sys/123123/lamp-7',
  '$sys/123123/lamp-7/',
  'sys/123123/lamp-7/dp/post/json',
  '$SYS/123123/lamp-7/dp/post/json',
  '$sys//lamp-7/dp/post/json',
  '$sys/123123//dp/post/json',
  '$sys/123123/lamp 7/dp/post/json',
  '$sys/123123/+/dp/post/json',
  '$sys/123123/lamp-7/dp/post/json/',
  '$sys/123123/lamp-7/dp/post/json/done',
  '$sys/123123/lamp-7/cmd/request',
  '$sys/123123/lamp-7/cmd/request/',
  '$sys/123123/lamp-7/cmd/request/a/b',
  '$sys/123123/lamp-7/cmd/request/{commandId}',
])('%j is none', (topic) => {
  expect(parseOneNetTopic(topic)).toBeUndefined();
});

describe('a part that could not stand in a topic makes none', () => {
  test.each(['', 'a/b', '+', '#', 'a b', 'ü', 'a\u0000', 'x'.repeat(65), '{device}', '$sys'])(
    '%j',
    (part) => {
      expect(oneNetTopic('dataPoints', { ...device, device: part })).toBeUndefined();
      expect(oneNetTopic('dataPoints', { ...device, productId: part })).toBeUndefined();
      expect(oneNetTopic('commandRequest', { ...device, commandId: part })).toBeUndefined();
    },
  );

  test('nor is one left out', () => {
    expect(oneNetTopic('commandRequest', device)).toBeUndefined();
  });
});

test('what is built is what it is taken apart to, whatever the parts', () => {
  const part = fc.oneof(fc.string({ maxLength: 70 }), fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/));
  const kind = fc.constantFrom(...documented.map(([name]) => name));
  const parts = fc.record({
    productId: part,
    device: part,
    commandId: part,
    service: part,
    type: part,
  });
  fc.assert(
    fc.property(kind, parts, (name, all) => {
      const topic = oneNetTopic(name, all);
      if (topic === undefined) return;
      const parsed = parseOneNetTopic(topic);
      expect(parsed).toMatchObject({ kind: name, productId: all.productId, device: all.device });
      expect(topic.split('/').length).toBeLessThanOrEqual(8);
    }),
  );
});

test('a template keeps its placeholders', () => {
  expect(oneNetTemplate('commandResponse')).toBe(
    '$sys/{productId}/{device}/cmd/response/{commandId}',
  );
});
