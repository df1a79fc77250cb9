import { expect, test } from 'vitest';
import { messageBytes } from '../../../infra/broker/packets/message.ts';
import { Budget } from '../../../infra/broker/quotas/budget.ts';
import { QueueRoom } from '../../../infra/broker/session/queue-room.ts';

const message = { topic: 'a', payload: Buffer.alloc(100), qos: 1, retain: false } as const;
const size = messageBytes(message);
const none = { messages: 0, bytes: 0 };

test('has room up to its limits, and the last of it for messages that cannot wait', () => {
  const byNumber = new QueueRoom({ maxQueuedMessages: 10, maxQueuedBytes: 1e6 }, none);
  const byBytes = new QueueRoom({ maxQueuedMessages: 1e6, maxQueuedBytes: 10 * size }, none);
  for (const room of [byNumber, byBytes]) {
    for (let count = 0; count < 9; count++) {
      expect([room.takes(message), room.isFullFor(message)]).toEqual([true, false]);
      room.add(size);
    }
    expect([room.takes(message), room.isFullFor(message), room.isFull]).toEqual([
      true,
      true,
      false,
    ]);
    room.add(size);
    expect([room.takes(message), room.isFull, room.messages]).toEqual([false, true, 10]);
    room.remove(size);
    expect(room.takes(message)).toBe(true);
  }
});

test('an empty queue has room for one message of any size', () => {
  const room = new QueueRoom({ maxQueuedMessages: 10, maxQueuedBytes: 1 }, none);
  expect([room.takes(message), room.isFullFor(message)]).toEqual([true, false]);
  room.add(size);
  expect(room.takes(message)).toBe(false);
});

test('what is held counts for one budget at a time, and has its room alone', () => {
  const room = new QueueRoom({ maxQueuedMessages: 10, maxQueuedBytes: 1e6 }, none);
  const [one, other] = [new Budget(2 * size), new Budget(size)];
  room.add(size);
  room.charge(one);
  expect([one.hasRoom(size), room.takes(message)]).toEqual([true, true]);
  room.charge(other);
  expect([one.hasRoom(2 * size), room.takes(message)]).toEqual([true, false]);
  room.free(size);
  expect(other.isEmpty).toBe(true);
  room.charge(undefined);
  expect(room.takes(message)).toBe(true);
});
