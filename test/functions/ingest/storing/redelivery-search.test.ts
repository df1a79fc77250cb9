import { describe, expect, test } from 'vitest';
import type { Message } from '../../../../functions/contract/message.ts';
import { keyOf } from '../../../../functions/ingest/storing/identity.ts';
import { RedeliverySearch } from '../../../../functions/ingest/storing/redelivery-search.ts';
import { chunkedMessageItem, messageItem } from '../../../../functions/table/item.ts';
import { anyMessage, message } from '../../../support/messages.ts';
import { fc } from '../../../support/property.ts';

/** Which suspects the stored messages, newest first, answer for. */
function found(suspects: readonly Message[], stored: readonly Message[]): Message[] {
  const search = new RedeliverySearch(suspects, new Set(suspects.map(keyOf)));
  for (const entry of stored) search.meet(messageItem(entry, { expiresAtSeconds: 1 }));
  return [...search.found];
}

const original = message({ packetId: 7, properties: { contentType: 'text/plain' } });
/** The same PUBLISH again: the bridge minted another id and time. */
const again = (parts: Parameters<typeof message>[0] = {}) => {
  const { id, time } = message();
  return message({ ...original, id, time, ...parts });
};

test('a redelivery of any message is found', () => {
  fc.assert(
    fc.property(anyMessage, (stored) => {
      fc.pre(stored.packetId !== undefined);
      const { id, time } = message();
      const suspect = { ...stored, id, time };
      expect(found([suspect], [stored])).toEqual([suspect]);
    }),
  );
});

describe('is another message:', () => {
  test.each([
    ['another payload', { text: 'other', payload: Buffer.from('other') }],
    ['another packet id', { packetId: 8 }],
    ['another source', { source: 'mqtt://broker/causeway-store-1' }],
    ['other properties', { properties: { contentType: 'text/html' } }],
    ['no properties', { properties: {} }],
    ['another QoS', { qos: 0 as const }],
    ['a retained one', { retain: true }],
  ])('%s', (_, parts) => {
    expect(found([again(parts)], [original])).toEqual([]);
  });
});

test('the expiry that a broker counted down does not matter', () => {
  const properties = (messageExpirySeconds: number) => ({
    correlationData: Buffer.from('c'),
    userProperties: [['a', 'b'] as const],
    messageExpirySeconds,
  });
  const stored = again({ properties: properties(60) });
  const suspect = again({ properties: properties(55) });
  expect(found([suspect], [stored])).toEqual([suspect]);
});

test('a producer’s own id stands for the packet id, and only with the same content', () => {
  const properties = { userProperties: [['id', 'own'] as const] };
  const stored = again({ id: 'own', packetId: 1, properties });
  const suspect = again({ id: 'own', packetId: 9, properties });
  expect(found([suspect], [stored])).toEqual([suspect]);
  const changed = { ...suspect, payload: Buffer.from('changed') };
  expect(found([changed], [stored])).toEqual([]);
  // A packet id that was used for something else since does not hide it.
  const reused = again({ packetId: 9, payload: Buffer.from('other') });
  expect(found([suspect], [reused, stored])).toEqual([suspect]);
});

test('what was stored while the producer’s id was the whole id is recognized by it', () => {
  const properties = { userProperties: [['id', 'own'] as const] };
  const stored = again({ id: 'own', packetId: 1, properties });
  const suspect = again({ id: 'own.digest', producerId: 'own', packetId: 9, properties });
  expect(found([suspect], [stored])).toEqual([suspect]);
  const later = again({ id: 'own.digest', producerId: 'own', packetId: 1, properties });
  expect(found([suspect], [later])).toEqual([suspect]);
  const other = again({ id: 'other', producerId: 'other', packetId: 9, properties });
  expect(found([other], [stored])).toEqual([]);
});

test('a stored item answers for one message of a batch', () => {
  const twins = [again(), again()];
  expect(found(twins, [original])).toHaveLength(1);
});

test('only the newest item with a packet id decides: before it, the id was acknowledged', () => {
  const reused = again({ payload: Buffer.from('newer') });
  expect(found([again()], [reused, original])).toEqual([]);
  expect(found([again()], [original, reused])).toHaveLength(1);
  expect(found([again(), again()], [original, again()])).toHaveLength(1);
});

test('a retry of the same request is no duplicate, and takes no other item', () => {
  const suspect = again();
  expect(found([suspect], [suspect, original])).toEqual([]);
  // Its own item answers for no other message of the batch either.
  expect(found([suspect, again()], [suspect])).toEqual([]);
});

test('large messages are compared by size and digest', () => {
  const meet = (suspect: Message) => {
    const search = new RedeliverySearch([suspect], new Set([keyOf(suspect)]));
    search.meet(chunkedMessageItem(original, 2, { expiresAtSeconds: 1 }));
    return [...search.found];
  };
  const same = again();
  expect(meet(same)).toEqual([same]);
  const other = Buffer.from(original.payload);
  other[0] = (other[0] ?? 0) ^ 1;
  expect(meet(again({ payload: other }))).toEqual([]);
  expect(meet(again({ payload: original.payload.subarray(1) }))).toEqual([]);
});
