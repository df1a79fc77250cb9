import { expect, test } from 'vitest';
import { Inflight } from '../../../infra/broker/session/inflight.ts';
import { packetId } from '../../../infra/broker/store/delivery.ts';

const packets = ['puback', 'pubcomp', 'refusal'] as const;

/** What each acknowledgement of message 1 is worth. */
function worth(inflight: Inflight): string[] {
  return packets.map((packet) => {
    const done = inflight.acknowledged(packetId(1), packet);
    return typeof done === 'string' ? done : `message ${done.number}`;
  });
}

test('each acknowledgement is worth something for its own QoS and time alone', () => {
  const inflight = new Inflight();
  expect(worth(inflight)).toEqual(['unknown', 'unknown', 'unknown']);
  inflight.add(1, 1, 1000);
  expect(worth(inflight)).toEqual(['message 1', 'wrong', 'wrong']);
  inflight.add(1, 2, 1000);
  expect(worth(inflight)).toEqual(['wrong', 'wrong', 'message 1']);
  inflight.release(packetId(1));
  expect(worth(inflight)).toEqual(['wrong', 'message 1', 'wrong']);
});

test('the first PUBREC frees what a message takes, the next ones nothing', () => {
  const inflight = new Inflight();
  expect(inflight.release(packetId(1))).toBe('unknown');
  inflight.add(1, 1, 1000);
  expect(inflight.release(packetId(1))).toBe('wrong');
  inflight.add(1, 2, 1000);
  expect(inflight.release(packetId(1))).toEqual({ number: 1, freedBytes: 1000 - 64 });
  expect(inflight.release(packetId(1))).toBe('taken');
  expect(inflight.acknowledged(packetId(1), 'pubcomp')).toMatchObject({ bytes: 64 });
});

test('a message that is removed late takes no packet id from the next one that has it', () => {
  const inflight = new Inflight();
  const next = 1 + 65_535;
  expect(packetId(next)).toBe(packetId(1));
  inflight.add(next, 1, 1000);
  inflight.remove(1);
  expect([inflight.size, inflight.has(packetId(1))]).toEqual([1, true]);
  inflight.remove(next);
  expect([inflight.size, inflight.has(packetId(1))]).toEqual([0, false]);
});
