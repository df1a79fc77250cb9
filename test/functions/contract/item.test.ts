import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  messageItem,
  messageOf,
  messageSortKey,
  topicKey,
} from '../../../functions/contract/item.ts';
import { anyMessage, message } from '../../support/messages.ts';

test('a message comes back from its item as it went in', () => {
  fc.assert(
    fc.property(anyMessage, (given) => {
      const back = messageOf(messageItem(given, 1));
      expect({ ...back, payload: Buffer.from(back.payload) }).toEqual(given);
    }),
  );
});

test('sort keys sort by time', () => {
  fc.assert(
    fc.property(anyMessage, anyMessage, (a, b) => {
      fc.pre(a.time < b.time);
      expect(messageSortKey(a) < messageSortKey(b)).toBe(true);
    }),
  );
});

test('a long topic gets a key that no topic name can have', () => {
  const long = 'ü'.repeat(600);
  expect(topicKey(long)).toMatch(/^#[\w-]{43}$/);
  expect(messageOf(messageItem(message({ topic: long }), 1)).topic).toBe(long);
  expect(topicKey('x'.repeat(1000))).toBe('x'.repeat(1000));
});
