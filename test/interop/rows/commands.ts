// From `POST /v1/publish` to a device, and back.
import { expect } from 'vitest';
import { until } from '../../support/wait.ts';
import type { Row } from './row.ts';

export const commands = {
  command: {
    capability: '`POST /v1/publish` reaches a device at QoS 1, in order',
    async observe(world) {
      const bridge = await world.startBridge({ name: 'command', filter: 'none/#' });
      const device = await world.connectDevice();
      const received: string[] = [];
      device.on('message', (_, payload) => received.push(payload.toString()));
      await device.subscribeAsync('command/a', { qos: 1 });
      for (const text of ['1', '2', '3'])
        expect(await bridge.publish({ topic: 'command/a', payload: text })).toMatchObject({
          status: 'sent',
        });
      await until(() => received.length >= 3);
      expect(received).toEqual(['1', '2', '3']);
      return 'yes';
    },
  },
  replyTemplate: {
    capability: '`waitFor: "reply"` by topics with `{commandId}` (MQTT 3.1.1 device)',
    async observe(world) {
      const bridge = await world.startBridge({ name: 'template', filter: 'none/#' });
      const device = await world.connectDevice({ protocolVersion: 4 });
      device.on('message', (topic) =>
        device.publish(topic.replace('/ask/', '/answer/'), '{"celsius":21.5}', { qos: 1 }),
      );
      await device.subscribeAsync('template/ask/+', { qos: 1 });
      const answer = await bridge.publish({
        topic: 'template/ask/{commandId}',
        responseTopic: 'template/answer/{commandId}',
        payload: {},
        waitFor: 'reply',
      });
      expect(answer).toMatchObject({ status: 'answered', reply: { payload: { celsius: 21.5 } } });
      return 'yes';
    },
  },
  replyProperties: {
    capability: '`waitFor: "reply"` by response topic and correlation data (MQTT 5 device)',
    async observe(world) {
      const bridge = await world.startBridge({ name: 'properties', filter: 'none/#' });
      const device = await world.connectDevice();
      device.on('message', (_topic, _payload, { properties }) => {
        const { responseTopic, correlationData } = properties ?? {};
        if (responseTopic === undefined || correlationData === undefined) return;
        const options = { qos: 1 as const, properties: { correlationData } };
        device.publish(responseTopic, 'warm', options);
      });
      await device.subscribeAsync('properties/a', { qos: 1 });
      const { status, reply } = await bridge.publish({
        topic: 'properties/a',
        payload: {},
        waitFor: 'reply',
        timeoutSeconds: world.kind.protocolVersion === 5 ? 10 : 1,
      });
      if (status === 'sent') return 'no: MQTT 3.1.1 has neither; the command stays `sent`';
      expect({ status, reply }).toMatchObject({ status: 'answered', reply: { payload: 'warm' } });
      return 'yes';
    },
  },
  retainedCommand: {
    capability: 'A retained command reaches a device that subscribes later',
    async observe(world) {
      const bridge = await world.startBridge({ name: 'later', filter: 'none/#' });
      await bridge.publish({ topic: 'later/a', payload: 'kept', retain: true });
      const device = await world.connectDevice();
      const received: unknown[] = [];
      device.on('message', (_, payload, { retain }) => received.push([payload.toString(), retain]));
      await device.subscribeAsync('later/a', { qos: 1 });
      await until(() => received.length > 0);
      expect(received).toEqual([['kept', true]]);
      return 'yes';
    },
  },
} satisfies Record<string, Row>;
