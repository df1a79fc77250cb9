// A session's outbox over the real store: order, window, packet ids and DUP, whatever the connections do.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { QoS } from '../../../infra/broker/packets/message.ts';
import { Subscriptions } from '../../../infra/broker/routing/subscriptions.ts';
import type { Receiver } from '../../../infra/broker/session/receiver.ts';
import { Sessions } from '../../../infra/broker/session/sessions.ts';
import { limitsSchema } from '../../../infra/broker/settings/settings.ts';
import { Store } from '../../../infra/broker/store/broker-store.ts';
import type { Delivery } from '../../../infra/broker/store/delivery.ts';
import { createCounters } from '../../../infra/broker/telemetry/counters.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { fc } from '../../support/property.ts';
import { until } from '../../support/wait.ts';

const maxInflight = 5;
const limits = { ...limitsSchema.parse({}), maxInflight };
let store: Store;
beforeAll(async () => {
  store = await Store.open(temporaryFolder('outbox'));
});
afterAll(() => store.close());

interface Sent {
  readonly text: string;
  readonly messageId: number;
  readonly qos: number;
  readonly dup: boolean;
}

/** A client's end of a connection: what was sent on it. */
function connection() {
  const sent: Sent[] = [];
  const released: number[] = [];
  const receiver: Receiver = {
    blocked: false,
    receiveMaximum: 65_535,
    send({ message, qos }, messageId, dup) {
      sent.push({ text: String(message.payload), messageId, qos, dup });
      return true;
    },
    sendOrDrop() {},
    release: (packetId) => void released.push(packetId),
  };
  return { link: receiver, sent, released };
}

const load = () => Sessions.load(store, new Subscriptions(), limits, createCounters());

/** A delivery of one message. */
const deliver = (payload: string, qos: QoS): Delivery => ({
  message: { topic: 'a', payload: Buffer.from(payload), qos, retain: false },
  qos,
  retain: false,
});

const settled = async () => {
  // A read of the queue and the write after it take a few turns.
  for (let turn = 0; turn < 8; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    await store.settled();
  }
};

const command = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('append'), count: fc.integer({ min: 1, max: 8 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('acknowledge'), count: fc.integer({ min: 1, max: 8 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('attach', 'detach', 'restart'),
      count: fc.constant(0),
    }),
  },
);

test('every message in order, in its window, under its own id, again with DUP until it is acknowledged', async () => {
  let run = 0;
  const property = fc.asyncProperty(
    fc.array(command, { maxLength: 25 }),
    fc.constantFrom<QoS>(1, 2),
    async (commands, qos) => {
      const clientId = `client-${++run}`;
      let sessions = await load();
      let outbox = (await sessions.open(clientId, undefined)).outbox;
      let client: ReturnType<typeof connection> | undefined;
      let appended = 0;
      let taken = 0;
      let unsureUpTo = 0;
      const acknowledged = new Set<string>();
      const seen = new Map<string, number>();
      const append = () => {
        return outbox.append(deliver(String(++appended), qos));
      };
      const check = () => {
        const sent = client?.sent ?? [];
        // From the oldest that is not acknowledged, without a gap.
        const first = Number(sent[0]?.text ?? 1);
        expect(sent.map(({ text }) => Number(text))).toEqual(sent.map((_, index) => first + index));
        expect(sent.length - taken).toBeLessThanOrEqual(maxInflight);
        for (const { text, messageId, dup } of sent) {
          expect(seen.get(text) ?? messageId).toBe(messageId);
          // A process that ends can have marked as sent what it had no time to send.
          if (!seen.has(text) && Number(text) > unsureUpTo) expect(dup).toBe(false);
        }
        for (const { text, messageId } of sent) seen.set(text, messageId);
      };
      const attach = async () => {
        if (client !== undefined) outbox.detach(client.link);
        // What was sent since the last look, too: mqtt-packet corks the stream until the next tick.
        await new Promise((resolve) => setImmediate(resolve));
        check();
        const before = new Set(seen.keys());
        client = connection();
        taken = 0;
        outbox.attach(client.link);
        await settled();
        for (const { text, dup } of client.sent) if (before.has(text)) expect(dup).toBe(true);
      };
      const acknowledge = (count: number) => {
        for (const { text, messageId } of client?.sent.slice(taken, taken + count) ?? []) {
          taken++;
          acknowledged.add(text);
          if (qos === 2) outbox.release(messageId);
          outbox.acknowledge(messageId, qos === 2 ? 'pubcomp' : 'puback');
        }
      };
      for (const { do: what, count } of commands) {
        if (what === 'append') await Promise.all(Array.from({ length: count }, append));
        if (what === 'acknowledge') acknowledge(count);
        if (what === 'attach') await attach();
        if (what === 'detach' && client !== undefined) outbox.detach(client.link);
        if (what === 'restart') {
          await settled();
          check();
          unsureUpTo = appended;
          sessions = await load();
          outbox = (await sessions.open(clientId, undefined)).outbox;
          client = undefined;
          taken = 0;
        }
        await settled();
        check();
        if (what === 'detach') {
          client = undefined;
          taken = 0;
        }
      }
      await attach();
      const everything = async () => {
        acknowledge(maxInflight);
        await settled();
        check();
        return acknowledged.size === appended;
      };
      // Shorter than the time limit below, which would take a run without end for a good one.
      await until(everything, { timeoutMs: 4000 });
      expect(outbox.messages).toBe(0);
      await sessions.remove(clientId);
    },
  );
  await fc.assert(property, { numRuns: 1000, interruptAfterTimeLimit: 6000 });
});

test('QoS 2 after PUBREC: only PUBREL comes again, also after a restart', async () => {
  let sessions = await load();
  const { outbox } = await sessions.open('two', undefined);
  const first = connection();
  outbox.attach(first.link);
  await outbox.append(deliver('x', 2));
  await outbox.append(deliver('x', 2));
  await until(() => first.sent.length === 2);
  const [released, kept] = first.sent.map(({ messageId }) => messageId);
  await outbox.release(released ?? 0).kept;
  // PUBACK is no answer to QoS 2, nor PUBCOMP before PUBREC.
  expect(outbox.acknowledge(kept ?? 0, 'puback')).toBe('wrong');
  expect(outbox.acknowledge(kept ?? 0, 'pubcomp')).toBe('wrong');
  expect(outbox.acknowledge(7777, 'puback')).toBe('unknown');
  await store.settled();
  sessions = await load();
  const again = (await sessions.open('two', undefined)).outbox;
  expect(again.messages).toBe(2);
  const second = connection();
  again.attach(second.link);
  await until(() => second.sent.length === 1);
  expect(second.released).toEqual([released]);
  expect(second.sent).toEqual([{ text: 'x', messageId: kept, qos: 2, dup: true }]);
  await sessions.remove('two');
});

test('a connection that changes while a message is being kept: the new one gets it, as new', async () => {
  const sessions = await load();
  const { outbox } = await sessions.open('changed', undefined);
  const [before, after] = [connection(), connection()];
  outbox.attach(before.link);
  const kept = outbox.append(deliver('x', 1));
  outbox.detach(before.link);
  outbox.attach(after.link);
  await kept;
  await until(() => after.sent.length === 1);
  expect([before.sent, after.sent]).toEqual([
    [],
    [{ text: 'x', messageId: 1, qos: 1, dup: false }],
  ]);
  await sessions.remove('changed');
});
