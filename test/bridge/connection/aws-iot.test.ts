// The whole bridge at an AWS IoT Core that holds it to every documented rule: up and down over both ways in.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { describe, expect, test } from 'vitest';
import { awsIotRights } from '../../../infra/aws/aws-iot-rights.ts';
import { parseCausewayConfig } from '../../../infra/config/config.ts';
import { testRegion } from '../../support/aws-iot-broker.ts';
import { awsIotRig, certificate, signature } from '../../support/aws-iot-rig.ts';
import { untilReady } from '../../support/bridges.ts';
import { command } from '../../support/queue.ts';
import { until } from '../../support/wait.ts';

const rig = awsIotRig();

for (const way of [certificate, signature]) {
  describe(`with ${way.name}`, () => {
    test('messages are stored, a command reaches its device, and the answer comes back', async () => {
      const bridge = await rig.start(way);
      for (let index = 0; index < 20; index++) rig.broker.publish(`up/${index}`, `{"n":${index}}`);
      await until(() => rig.handler.stored.length === 20);
      rig.broker.onPublish = ({ topic, properties }) => {
        const { responseTopic, correlationData } = properties ?? {};
        if (topic === 'down/lamp' && responseTopic !== undefined)
          rig.broker.publish(responseTopic, 'done', {
            ...(correlationData && { correlationData }),
          });
      };
      const asked = command({
        topic: 'down/lamp',
        awaitsReply: true,
        properties: {
          responseTopic: 'replies/{commandId}',
          correlationData: Buffer.from('0123456789abcdef'),
        },
      });
      const [outcome] = await rig.send(bridge, [asked], 'reply');
      expect(outcome?.status).toBe('answered');
      expect(rig.broker.violations).toEqual([]);
    });

    test('what was not acknowledged comes again after a break, once, and in a session that is resumed', async () => {
      const bridge = await rig.start(way);
      let isHeld = true;
      rig.handler.answer = (_, response) => {
        response.statusCode = isHeld ? 503 : 200;
        response.end();
      };
      for (let index = 0; index < 5; index++) rig.broker.publish('up/a', String(index));
      await until(() => rig.handler.requests.length > 0);
      rig.broker.cut();
      isHeld = false;
      await until(() => rig.handler.stored.length === 5);
      await untilReady(bridge);
      expect(rig.handler.stored.map(({ data }) => data)).toEqual(['0', '1', '2', '3', '4']);
      const session = await until(() => rig.broker.sessions.get(`${rig.prefix}-store-0`));
      expect(session.mostUnacknowledged).toBe(5);
      expect(rig.broker.violations).toEqual([]);
    });
  });
}

test('every connection has a URL of its own, signed with the credentials of that time', async () => {
  const bridge = await rig.start(signature);
  await until(() => rig.broker.upgrades.length >= 2);
  const before = rig.broker.upgrades.map(({ target }) => target);
  // Those of before are no longer good: only what is signed again gets in.
  rig.broker.credentials = [];
  rig.broker.cut();
  await until(() => !bridge.status().ready);
  await untilReady(bridge);
  await until(() => rig.broker.upgrades.length >= before.length + 2);
  for (const { target, fault } of rig.broker.upgrades.slice(before.length)) {
    expect(before).not.toContain(target);
    expect(fault).toBeUndefined();
  }
  expect(rig.broker.violations).toEqual([]);
});

test('without credentials it waits, says so without a secret, and goes on when there are some', async () => {
  const bridge = await rig.start(signature);
  rig.endpoint.isBroken = true;
  rig.broker.cut();
  await until(() => bridge.status().problems.some((problem) => /credentials/i.test(problem)));
  expect(JSON.stringify(bridge.status())).not.toMatch(/X-Amz|ASIA/);
  rig.endpoint.isBroken = false;
  await untilReady(bridge);
});

test('more than 100 messages wait at the broker, and connections that share a subscription get each once', async () => {
  const bridge = await rig.start(certificate, { route: { filter: 'up/#', connections: 2 } });
  await until(() => rig.broker.sessions.get(`${rig.prefix}-store-1`)?.subscriptions.size === 1);
  await untilReady(bridge);
  for (let index = 0; index < 220; index++) rig.broker.publish(`up/${index}`, String(index));
  await until(() => rig.handler.stored.length === 220);
  const values = rig.handler.stored.map(({ data }) => Number(data)).sort((a, b) => a - b);
  expect(values).toEqual(Array.from({ length: 220 }, (_, index) => index));
  for (const session of rig.broker.sessions.values())
    expect(session.mostUnacknowledged).toBeLessThanOrEqual(100);
  expect(rig.broker.violations).toEqual([]);
});

test('the rights that the template gives the task are enough, and all that it has', async () => {
  const parsed = parseCausewayConfig({
    broker: {
      url: 'wss://a-ats.iot.eu-central-1.amazonaws.com/mqtt',
      auth: 'aws-iam',
      clientIdPrefix: rig.prefix,
    },
    routes: [{ name: 'store', filter: 'up/#', connections: 2 }],
    api: { commandFilters: ['down/#'], replyTopic: '{topic}/reply/{commandId}' },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  rig.broker.policy = awsIotRights(parsed.value);
  const bridge = await rig.start(signature, { route: { filter: 'up/#', connections: 2 } });
  rig.broker.publish('up/a', 'stored');
  await until(() => rig.handler.stored.length === 1);
  rig.broker.onPublish = ({ properties }) => {
    const { responseTopic = 'none', correlationData } = properties ?? {};
    rig.broker.publish(responseTopic, 'done', { ...(correlationData && { correlationData }) });
  };
  const asked = command({
    topic: 'down/lamp',
    retain: true,
    awaitsReply: true,
    properties: { responseTopic: 'down/lamp/reply/{commandId}', correlationData: Buffer.from('1') },
  });
  expect((await rig.send(bridge, [asked], 'reply'))[0]?.status).toBe('answered');
  expect(rig.broker.violations).toEqual([]);
  const elsewhere = command({ topic: 'up/a', expiresInMs: 3000 });
  await rig.send(bridge, [elsewhere], 'none');
  await until(() => rig.broker.violations.some((rule) => rule.endsWith('may not publish to up/a')));
});

test('lifecycle events can be routed like messages', async () => {
  await rig.start(certificate, { route: { filter: '$aws/events/presence/#' } });
  // Those of commands and their answers come after it.
  rig.broker.cut();
  const event = await until(() =>
    rig.handler.stored.find(({ subject }) =>
      subject.startsWith(`$aws/events/presence/connected/${rig.prefix}-publisher-`),
    ),
  );
  expect(event.data).toMatchObject({
    clientId: event.subject.split('/').at(-1),
    eventType: 'connected',
    ipAddress: '127.0.0.1',
    versionNumber: expect.any(Number),
  });
  expect(rig.broker.violations).toEqual([]);
});

describe('the broker of these tests', () => {
  test('refuses URLs that are not signed, signed by another, or changed after it', async () => {
    const bridge = await rig.start(signature);
    const [{ target } = { target: '' }] = rig.broker.upgrades;
    await bridge.drain();
    const status = async (path: string) => {
      const url = new URL(path, rig.broker.wssUrl);
      return new Promise((resolve) => {
        const headers = {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-key': 'MDEyMzQ1Njc4OWFiY2RlZg==',
          'sec-websocket-version': '13',
        };
        const { hostname, port, pathname, search } = url;
        const ca = readFileSync(rig.broker.caFile);
        request({ hostname, port, path: pathname + search, headers, ca })
          .on('response', (response) => resolve(response.statusCode))
          .on('upgrade', (response, socket) => {
            socket.destroy();
            resolve(response.statusCode);
          })
          .end();
      });
    };
    expect(await status(target)).toBe(101);
    for (const changed of [
      '/mqtt',
      target.replace('/mqtt', '/other'),
      target.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=604800'),
      target.replace(testRegion, 'eu-west-1'),
      target.replace(/Signature=./, 'Signature=x'),
      target.replace(/&X-Amz-Security-Token=[^&]*/, ''),
    ])
      expect(await status(changed), changed).toBe(403);
    rig.broker.credentials = [];
    expect(await status(target)).toBe(403);
  });
});
