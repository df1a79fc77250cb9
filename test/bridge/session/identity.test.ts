import { expect, test } from 'vitest';
import { idOfProducer, mintId, producerIdIn } from '../../../bridge/session/identity.ts';
import { maxIdBytes, maxProducerIdBytes } from '../../../functions/contract/message.ts';
import { legalTopic, mqttText } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';

test('the id of a CloudEvent is kept where it can be one', () => {
  const event = ['specversion', '1.0'] as const;
  expect(producerIdIn([event, ['id', 'mine']])).toBe('mine');
  expect(producerIdIn(undefined)).toBeUndefined();
  for (const id of ['', 'x'.repeat(300)]) expect(producerIdIn([event, ['id', id]])).toBeUndefined();
  // Without specversion it may be the name of the device.
  expect(producerIdIn([['id', 'sensor-7']])).toBeUndefined();
});

test('the id of a message is its producer’s, readable, and its topic and source make it unique', () => {
  const id = idOfProducer('order-17', 'shop/a', undefined);
  expect(id).toMatch(/^order-17\.[\w-]{22}$/);
  expect(idOfProducer('order-17', 'shop/a', undefined)).toBe(id);
  expect(idOfProducer('order-17', 'shop/b', undefined)).not.toBe(id);
  expect(idOfProducer('order-17', 'shop/a', [['source', 'till-1']])).not.toBe(id);
  // Who names another's id gets an id of its own topic all the same.
  expect(idOfProducer(id, 'shop/b', undefined)).not.toBe(id);
  expect(Buffer.byteLength(idOfProducer('x'.repeat(maxProducerIdBytes), 'a', undefined))).toBe(
    maxIdBytes,
  );
});

test('two ids are the same only where producer’s id, topic and source are', () => {
  const part = fc.oneof(fc.constantFrom('a', 'a.b', '', '.'), mqttText);
  const topic = fc.oneof(fc.constantFrom('a', 'a/b'), legalTopic);
  const made = fc.tuple(part, topic, part);
  const idOf = ([id, name, source]: [string, string, string]) =>
    idOfProducer(id, name, [['source', source]]);
  fc.assert(
    fc.property(made, made, (a, b) => {
      expect(idOf(a) === idOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});

test('minted ids do not repeat, and are none that a producer can choose', () => {
  const ids = Array.from({ length: 10_000 }, mintId);
  expect(new Set(ids).size).toBe(10_000);
  for (const id of ids) expect(id).toMatch(/^[\w-]{16}-[1-9]\d*$/);
  const counts = ids.map((id) => Number(id.slice(17)));
  expect(counts).toEqual(counts.map((_, index) => (counts[0] ?? 0) + index));
});
