// The limits of AWS IoT Core: the bridge refuses or waits before the broker sees what breaks one.
import { readFileSync } from 'node:fs';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { describe, expect, test } from 'vitest';
import { awsIotRig, certificate } from '../../support/aws-iot-rig.ts';
import { type CommandParts, command, inLedger } from '../../support/queue.ts';
import { until } from '../../support/wait.ts';

const rig = awsIotRig();

describe('what breaks a rule is refused before the broker sees it:', () => {
  const refused: readonly (readonly [string, CommandParts, RegExp])[] = [
    ['QoS 2', { qos: 2 }, /qos: must be at most 1/],
    ['a payload above 128 KB', { payload: Buffer.alloc(131_073) }, /payload: .* 131072 bytes/],
    ['a topic of 9 levels', { topic: 'a/b/c/d/e/f/g/h/i' }, /topic: .* 8 levels/],
    ['a topic of 257 bytes', { topic: 'a'.repeat(257) }, /topic: .* 256 bytes/],
    ['a reserved topic', { topic: '$SYS/x' }, /topic: must not start with \$, but for \$aws\//],
    [
      'a response topic of 9 levels',
      { awaitsReply: true, properties: { responseTopic: 'a/b/c/d/e/f/g/h/{commandId}' } },
      /response topic .* 8 levels/,
    ],
  ];

  // MQTT 3.1.1 announces nothing: there the profile alone knows.
  test.each([4, 5] as const)('commands, on protocol version %i', async (protocolVersion) => {
    const bridge = await rig.start(certificate, { broker: { protocolVersion } });
    const commands = refused.map(([, parts]) => command(parts));
    const outcomes = await rig.send(bridge, commands);
    for (const [index, [what, , rule]] of refused.entries()) {
      expect(outcomes[index], what).toMatchObject({ status: 'failed' });
      const { error } = await inLedger(rig.table, commands[index]?.id ?? '');
      // What the broker announced, where it did, may be said first.
      expect(error?.detail, what).toMatch(
        new RegExp(`${rule.source}|the broker takes QoS 1 at most`),
      );
    }
    const legal = [
      command({ payload: Buffer.alloc(131_072) }),
      command({ topic: 'a/b/c/d/e/f/g/h' }),
      command({ topic: 'a'.repeat(256) }),
      command({ topic: '$aws/rules/rule/a/b/c/d/e/f/g/h' }),
    ];
    const sent = await rig.send(bridge, legal);
    expect(sent.map(({ status }) => status)).toEqual(legal.map(() => 'sent'));
    expect(rig.broker.published).toHaveLength(legal.length);
    expect(rig.broker.violations).toEqual([]);
  });

  test.each([
    ['100 publishes a second', 5],
    ['100 unacknowledged', 1500],
  ])('no more than %s, and none is lost to it', async (_, ackDelayMs) => {
    rig.broker.ackDelayMs = ackDelayMs;
    const bridge = await rig.start(certificate);
    const many = Array.from({ length: 130 }, (_, index) => command({ topic: `down/${index}` }));
    const outcomes = await rig.send(bridge, many);
    expect(outcomes.every(({ status }) => status === 'sent')).toBe(true);
    expect(rig.broker.violations).toEqual([]);
  });

  test('no more than 50 subscriptions, whatever response topics callers name', async () => {
    const bridge = await rig.start(certificate);
    const many = Array.from({ length: 60 }, (_, index) =>
      command({
        topic: `down/${index}`,
        awaitsReply: true,
        properties: { responseTopic: `replies/{commandId}/${index}` },
      }),
    );
    const outcomes = await rig.send(bridge, many);
    // One caller's answers have half of the subscriptions: those that it has waited for longest are given up.
    expect(outcomes.every(({ status }) => status === 'sent')).toBe(true);
    expect(rig.broker.violations).toEqual([]);
  });
});

describe('the broker of these tests notices', () => {
  const payload = Buffer.alloc(131_073);
  const filters = (count: number) => Array.from({ length: count }, (_, index) => `f/${index}`);
  const rules: readonly (readonly [string, (client: MqttClient) => void, RegExp])[] = [
    ['QoS 2', (client) => client.publish('a', '', { qos: 2 }), /QoS 2/],
    ['a large payload', (client) => client.publish('a', payload), /payload of 131073 bytes/],
    ['8 slashes', (client) => client.publish('a/b/c/d/e/f/g/h/i', ''), /with 8 slashes/],
    ['a long topic', (client) => client.publish('a'.repeat(257), ''), /topic of 257 bytes/],
    ['a reserved topic', (client) => client.publish('$SYS/a', ''), /reserved topic/],
    ['a reserved filter', (client) => client.subscribe('$SYS/#'), /reserved topic/],
    ['9 filters', (client) => client.subscribe(filters(9)), /9 filters in one/],
    [
      '51 subscriptions',
      (client) => {
        for (const filter of filters(51)) client.subscribe(filter);
      },
      /51 subscriptions/,
    ],
    [
      '101 publishes at once',
      (client) => {
        for (let index = 0; index < 101; index++) client.publish('a', '');
      },
      /more than 100 publishes/,
    ],
  ];

  async function connect(options: IClientOptions = {}): Promise<MqttClient> {
    const { mqttsUrl, caFile, certificateFile, keyFile } = rig.broker;
    const client = mqtt.connect(mqttsUrl, {
      ca: readFileSync(caFile),
      cert: readFileSync(certificateFile),
      key: readFileSync(keyFile),
      ALPNProtocols: ['x-amzn-mqtt-ca'],
      clientId: 'raw',
      protocolVersion: 4,
      reconnectPeriod: 0,
      ...options,
    });
    client.on('error', () => {});
    await until(() => client.connected || rig.broker.violations.length > 0);
    return client;
  }

  test.each(rules)('%s', async (_, breakRule, rule) => {
    const client = await connect();
    expect(rig.broker.violations).toEqual([]);
    breakRule(client);
    await until(() => rig.broker.violations.some((text) => rule.test(text)));
    client.end(true);
  });

  test.each([
    ['a short keep-alive', { keepalive: 29 }, /keep-alive 29/],
    ['a long client id', { clientId: 'a'.repeat(129) }, /129 bytes of id/],
    ['no ALPN', { ALPNProtocols: [] }, /ALPN false/],
  ])('%s', async (_, options, rule) => {
    const client = await connect(options);
    await until(() => rig.broker.violations.some((text) => rule.test(text)));
    client.end(true);
  });
});
