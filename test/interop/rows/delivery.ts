// From a device into the table: what arrives, and as what.
import type { MqttClient } from 'mqtt';
import { expect } from 'vitest';
import type { World } from '../world.ts';
import {
  binary,
  expectStored,
  numbers,
  publishAll,
  storedTopics,
  untilMessages,
} from './messages.ts';
import type { Outcome, Row } from './row.ts';

export const delivery = {
  qos1: {
    capability: 'QoS 1 from a device into the table, once, in order',
    async observe(world) {
      await world.startBridge({ name: 'qos1', filter: 'qos1/#' });
      const payloads = { 'qos1/a': numbers(0, 100), 'qos1/b': numbers(0, 100) };
      await publishAll(await world.connectDevice(), payloads);
      await expectStored(world, payloads);
      return 'yes';
    },
  },
  qos2: {
    capability: 'QoS 2 from a device arrives once, as QoS 1',
    async observe(world) {
      await world.startBridge({ name: 'qos2', filter: 'qos2/#' });
      const device = await world.connectDevice();
      const packets = new Set<string>();
      device.on('packetreceive', ({ cmd }) => packets.add(cmd));
      const closed = untilClosed(device).then(() => 'closed' as const);
      const published = device.publishAsync('qos2/a', 'once', { qos: 2 }).catch(() => 'closed');
      if ((await Promise.race([published, closed])) === 'closed')
        return 'no: the broker closes the connection';
      const stored = await untilMessages(world, 'qos2/a');
      expect(stored).toMatchObject([{ payload: 'once', qos: 1 }]);
      return packets.has('pubrec') ? 'yes' : 'yes: the device gets a PUBACK, as at QoS 1';
    },
  },
  large: {
    capability: 'A message of 256 KB, byte for byte',
    async observe(world) {
      await world.startBridge({ name: 'large', filter: 'large/#' });
      const bytes = binary(256 * 1024);
      const device = await world.connectDevice();
      await device.publishAsync('large/a', bytes, { qos: 1 });
      const [message] = await untilMessages(world, 'large/a');
      expect(message?.payloadBase64).toBe(bytes.toString('base64'));
      return 'yes';
    },
  },
  topics: {
    capability: 'Topics with spaces, dots, UTF-8, empty levels and signs',
    observe: specialTopics,
  },
  dollar: {
    capability: '`#` does not bring topics with `$` [MQTT-4.7.2-1]',
    async observe(world) {
      await world.startBridge({ name: 'dollar', filter: '#' });
      const device = await world.connectDevice();
      await device.publishAsync('$interop/a', 'hidden', { qos: 1 });
      await publishAll(device, { 'plain/a': ['shown'] });
      await expectStored(world, { 'plain/a': ['shown'] });
      const topics = await storedTopics(world, '$');
      const own = new Set(
        topics.filter((topic) => topic !== '$interop/a').map((topic) => topic.split('/')[0]),
      );
      if (own.size > 0)
        return `no: it does, and ${[...own].sort().join(' and ')} of the broker too`;
      return topics.length > 0 ? 'no: it does' : 'yes';
    },
  },
  retained: {
    capability: 'A retained message reaches a new bridge, marked as retained',
    async observe(world) {
      const device = await world.connectDevice();
      await device.publishAsync('retained/a', 'kept', { qos: 1, retain: true });
      await world.startBridge({ name: 'retained', filter: 'retained/+' });
      await publishAll(device, { 'retained/b': ['later'] });
      await expectStored(world, { 'retained/b': ['later'] });
      const byWildcard = await world.messages('retained/a');
      if (byWildcard.length === 0) {
        await world.startBridge({ name: 'retained-exact', filter: 'retained/a' });
        await untilMessages(world, 'retained/a');
      }
      const expected = [{ payload: 'kept', retain: true }];
      expect(await world.messages('retained/a')).toMatchObject(expected);
      return byWildcard.length > 0 ? 'yes' : 'no: only where the filter has no wildcards';
    },
  },
} satisfies Record<string, Row>;

const unusual = {
  'a space': 'topics/living room',
  'a dot': 'topics/v1.2',
  'an asterisk': 'topics/5*',
  'a greater-than sign': 'topics/a>b',
  'UTF-8': 'topics/küche/日本/🌡️',
  'an empty level': 'topics//b',
  'a slash at its end': 'topics/c/',
  'a dollar sign': 'topics/$d',
  'quotes and braces': 'topics/"\'{}\\',
};

/** Each topic has a device of its own: some brokers close the connection. */
async function specialTopics(world: World): Promise<Outcome> {
  await world.startBridge({ name: 'topics', filter: 'topics/#' });
  const closing: string[] = [];
  for (const [name, topic] of Object.entries(unusual)) {
    const device = await world.connectDevice();
    const outcome = await Promise.race([
      device.publishAsync(topic, name, { qos: 1 }).then(
        () => 'acknowledged',
        () => 'closed',
      ),
      untilClosed(device).then(() => 'closed'),
    ]);
    if (outcome === 'closed') closing.push(name);
    device.end(true);
  }
  await publishAll(await world.connectDevice(), { 'topics/end': ['end'] });
  await expectStored(world, { 'topics/end': ['end'] });
  const missing: string[] = [];
  for (const [name, topic] of Object.entries(unusual))
    if ((await world.messages(topic)).length !== 1) missing.push(name);
  if (missing.length === 0) return 'yes';
  const changed = missing.filter((name) => !closing.includes(name));
  const refused = missing.filter((name) => closing.includes(name));
  return `no: ${[
    ...(refused.length > 0 ? [`it closes the connection on ${refused.join(' and ')}`] : []),
    ...(changed.length > 0 ? [`it changes ${changed.join(' and ')}`] : []),
  ].join('; ')}`;
}

function untilClosed(device: MqttClient): Promise<void> {
  return new Promise((resolve) => {
    device.once('close', resolve);
  });
}
