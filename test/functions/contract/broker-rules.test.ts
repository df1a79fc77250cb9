// What a broker does not take, as faults with the field and the rule.

import { describe, expect, test } from 'vitest';
import {
  anyBroker,
  type BrokerRules,
  brokerRulesSchema,
  filterFaults,
  publicationFaults,
  publishTopicFaults,
  replyTopicOf,
} from '../../../functions/contract/broker-rules.ts';
import { publishTopicFault } from '../../../functions/contract/topic.ts';
import { legalTopic } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';

const strict: BrokerRules = {
  maxQoS: 1,
  retain: false,
  maxPayloadBytes: 10,
  maxTopicBytes: 12,
  maxTopicLevels: 3,
  uncountedPrefix: '$own/rules/{rule}/',
  publishPrefixes: ['$own/', '$sys/'],
  subscribePrefixes: ['$own/'],
  sharedSubscriptions: false,
  replies: [],
};

const good = { topic: 'a/b/c', payloadBytes: 10, qos: 1, retain: false } as const;

describe('a publish', () => {
  test('within the rules has no fault, up to each limit', () => {
    expect(publicationFaults(good, strict)).toEqual([]);
    expect(publicationFaults({ ...good, topic: '123456789012' }, strict)).toEqual([]);
  });

  test.each([
    [{ qos: 2 }, 'qos', /at most 1/],
    [{ retain: true }, 'retain', /must be false/],
    [{ payloadBytes: 11 }, 'payload', /at most 10 bytes/],
    [{ topic: 'a/b/c/d' }, 'topic', /at most 3 levels/],
    [{ topic: 'ü'.repeat(7) }, 'topic', /at most 12 bytes/],
    [{ topic: '$SYS/x' }, 'topic', /but for \$own\/ and \$sys\//],
    [{ topic: '$own' }, 'topic', /must not start with \$/],
  ] as const)('%j breaks one rule, of the field %s', (change, field, rule) => {
    expect(publicationFaults({ ...good, ...change }, strict)).toEqual([
      { field, rule: expect.stringMatching(rule) },
    ]);
  });

  test('gets all of its faults at once', () => {
    const all = { topic: '$SYS/a/b/c/d/e/f', payloadBytes: 99, qos: 2, retain: true } as const;
    expect(publicationFaults(all, strict).map(({ field }) => field)).toEqual([
      'topic',
      'topic',
      'topic',
      'payload',
      'qos',
      'retain',
    ]);
  });

  test('levels of the prefix do not count, and only there', () => {
    expect(publishTopicFaults('$own/rules/r/a/b/c', strict)).toEqual([]);
    expect(publishTopicFaults('$own/rules/r/a/b/c/d', strict)).toHaveLength(1);
    expect(publishTopicFaults('$own/other/r/a', strict)).toHaveLength(2);
    expect(publishTopicFaults('$own/rules/r', strict)).toEqual([]);
  });

  test('to a broker that nothing is known of is held to MQTT alone', () => {
    const one = { payloadBytes: 1e9, qos: 2, retain: true } as const;
    fc.assert(
      fc.property(legalTopic, (topic) => {
        const faults = publicationFaults({ ...one, topic }, anyBroker).map(({ rule }) => rule);
        expect(faults).toEqual([publishTopicFault(topic)].filter((rule) => rule !== undefined));
      }),
    );
  });
});

describe('a filter', () => {
  test.each([
    ['a/+/#', []],
    ['a/b/c/#', [/3 levels/]],
    ['$own/x', []],
    ['$SYS/#', [/but for \$own\//]],
    ['$share/group/a/b', [/shared/]],
    ['$share/a-long-group/$SYS/#', [/shared/, /but for/]],
  ])('%s', (filter, rules) => {
    expect(filterFaults(filter, strict)).toEqual(rules.map((rule) => expect.stringMatching(rule)));
  });

  test('with $ is free where the rules name no prefixes', () => {
    expect(filterFaults('$SYS/#', anyBroker)).toEqual([]);
    expect(filterFaults('$share/group/a', anyBroker)).toEqual([]);
  });
});

describe('replyTopicOf', () => {
  const rules: BrokerRules = {
    ...anyBroker,
    replies: [
      {
        request: '$sys/{product}/{device}/cmd/request/{commandId}',
        response: '$sys/{product}/{device}/cmd/response/{commandId}',
      },
      { request: 'twice/{a}/{a}', response: 'answer/{a}/{unknown}' },
    ],
  };

  test('fills in what the names stood for', () => {
    expect(replyTopicOf('$sys/p/d/cmd/request/id-1', 'id-1', rules)).toBe(
      '$sys/p/d/cmd/response/id-1',
    );
    expect(replyTopicOf('twice/x/x', 'id', rules)).toBe('answer/x/{unknown}');
    expect(replyTopicOf('$sys/$&/$1/cmd/request/id', 'id', rules)).toBe(
      '$sys/$&/$1/cmd/response/id',
    );
  });

  test.each([
    '$sys/p/d/cmd/request/other',
    '$sys/p/d/cmd/request',
    '$sys/p/d/cmd/request/id-1/more',
    '$sys/p/d/CMD/request/id-1',
    'twice/x/y',
    'devices/a',
  ])('knows none for %s', (topic) => {
    expect(replyTopicOf(topic, 'id-1', rules)).toBeUndefined();
  });
});

test('rules travel as JSON', () => {
  expect(brokerRulesSchema.parse(JSON.parse(JSON.stringify(strict)))).toEqual(strict);
  expect(brokerRulesSchema.safeParse({ ...strict, publishPrefixes: ['own/'] }).success).toBe(false);
});
