// A stored queue writes up to where it was sent once a batch, and always the last.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sentKey, storedQueue } from '../../../infra/broker/session/queue.ts';
import { Store, type Write } from '../../../infra/broker/store/broker-store.ts';
import type { Delivery } from '../../../infra/broker/store/delivery.ts';
import { temporaryFolder } from '../../support/brokers.ts';

const key = sentKey('client');
const delivery: Delivery = {
  message: { topic: 'a', payload: Buffer.from('x'), qos: 1, retain: false },
  qos: 1,
  retain: false,
};

let store: Store;
/** Writes of the mark. */
let marks: number;

beforeEach(async () => {
  const opened = await Store.open(temporaryFolder('stored-queue'));
  marks = 0;
  store = Object.create(opened, {
    write: {
      value: (...writes: readonly Write[]) => {
        marks += writes.filter((write) => write.key === key).length;
        return opened.write(...writes);
      },
    },
    get: { value: (name: string) => opened.get(name) },
    close: { value: () => opened.close() },
  });
});
afterEach(() => store.close());

const sentUpTo = () => Number(store.get(key));

test('messages that are sent as they come, in one turn and in the next', async () => {
  const queue = storedQueue(store, 'client');
  await Promise.all([1, 2, 3].map((number) => queue.append(number, delivery, true)));
  expect([marks, sentUpTo()]).toEqual([1, 3]);
  await queue.append(4, delivery, true);
  expect([marks, sentUpTo()]).toEqual([2, 4]);
  await queue.append(5, delivery, false);
  expect([marks, sentUpTo()]).toEqual([2, 4]);
});

test('some that are sent from the queue between them', async () => {
  const queue = storedQueue(store, 'client');
  await Promise.all([
    queue.append(1, delivery, true),
    queue.append(2, delivery, false),
    queue.markSent(2),
    queue.append(3, delivery, true),
  ]);
  expect([marks, sentUpTo()]).toEqual([2, 3]);
  await Promise.all([queue.append(4, delivery, true), queue.markSent(5)]);
  expect(sentUpTo()).toBe(5);
});
