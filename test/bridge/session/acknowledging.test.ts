// How PUBACKs leave: in the order in which messages came, and those of one turn of the event loop in one write.
import { expect, test, vi } from 'vitest';
import type { Delivery } from '../../../bridge/base/delivery.ts';
import { until } from '../../support/wait.ts';
import { startSession } from './lone-session.ts';

async function settleAfter(microtasks: number, delivery: Delivery): Promise<void> {
  for (let done = 0; done < microtasks; done++) await undefined;
  delivery.settle();
}

test('what settles in one turn, by however many requests, is acknowledged in one write', async () => {
  const { deliveries, streams, publish } = await startSession();
  await publish(10, 100);
  await until(() => deliveries.length === 10);
  const [stream] = streams;
  if (stream === undefined) throw new Error('there is no connection');
  const write = vi.spyOn(stream, 'write');
  const [first, ...others] = deliveries;
  // Each as the answer to a request of its own would be: some microtasks later, and in another order than they came.
  for (const [index, delivery] of others.reverse().entries()) void settleAfter(5 * index, delivery);
  first?.settle();
  await new Promise((resolve) => setImmediate(resolve));
  await until(() => write.mock.calls.length > 0);
  expect(write).toHaveBeenCalledTimes(1);
  const packets = write.mock.calls[0]?.[0] as Buffer;
  const ids = deliveries.map(({ message }) => message.packetId);
  expect(Array.from({ length: 10 }, (_, index) => packets.readUInt32BE(index * 4))).toEqual(
    ids.map((id) => 0x4002_0000 + (id ?? 0)),
  );
  expect(packets).toHaveLength(40);
});
