// Packets that no broker should send, on the connection of the commands.
import { expect, test } from 'vitest';
import { command, record } from '../../support/queue.ts';
import { type RawBrokerOptions, startRawBroker } from '../connection/raw-broker.ts';
import { int16, packet, properties, publish, text } from '../packets/wire.ts';
import { deliver, start } from './scripted-dispatch.ts';

const responseTopic = 'replies/{commandId}';
const question = () =>
  command({
    awaitsReply: true,
    properties: { responseTopic, correlationData: Buffer.from('same') },
  });

const correlated = properties([9, text('same')]);

async function setUp(options: RawBrokerOptions) {
  const broker = await startRawBroker(options);
  const setup = await start(broker, { ackTimeoutMs: 500 });
  return { broker, setup };
}

const codesOf = (packets: readonly object[] | undefined) =>
  packets?.flatMap((given) => ('reasonCode' in given ? [given.reasonCode] : []));

test('a SUBACK that does not exist ends the connection at once, and the command is sent on the next', async () => {
  const { broker, setup } = await setUp({
    suback: (packetId, attempt) =>
      packet(0x90, int16(packetId), properties(), Buffer.from([attempt === 1 ? 0xff : 1])),
    onPublish: ({ properties: given }, send) =>
      send(publish(1, given?.responseTopic ?? '', 'done', { properties: correlated })),
  });
  const one = question();
  await record(setup.table, one);
  const [outcome] = await deliver(setup, [one.id], 20_000, 'reply');
  expect(outcome?.status).toBe('answered');
  expect(codesOf(broker.connections[0])).toContain(0x81);
});

test('a malformed reply ends a connection twice; then it is dropped, and others are heard', async () => {
  let malformed = 0;
  const { broker, setup } = await setUp({
    onPublish: ({ properties: given, payload }, send) => {
      const topic = given?.responseTopic ?? '';
      if (payload.toString() !== 'good') malformed++;
      const bad = properties([99, int16(1)]);
      send(
        publish(1, topic, 'x', { properties: payload.toString() === 'good' ? correlated : bad }),
      );
    },
  });
  // The same topic each time, and so the same packet.
  const ends = () => broker.connections.filter((each) => codesOf(each)?.includes(0x81)).length;
  for (let round = 0; round < 4; round++) {
    const one = command({
      awaitsReply: true,
      properties: { responseTopic: 'replies', correlationData: Buffer.from(`${round}`) },
    });
    await record(setup.table, one);
    const [outcome] = await deliver(setup, [one.id], 20_000);
    expect(outcome?.status).toBe('sent');
  }
  const good = command({
    payload: 'good',
    awaitsReply: true,
    properties: { responseTopic: 'replies', correlationData: Buffer.from('same') },
  });
  await record(setup.table, good);
  const [outcome] = await deliver(setup, [good.id], 20_000, 'reply');
  expect([outcome?.status, outcome?.reply?.payloadBase64]).toEqual([
    'answered',
    Buffer.from('x').toString('base64'),
  ]);
  expect(malformed).toBeGreaterThanOrEqual(4);
  // Twice on the connection of the commands, and twice on the one where suspects are tried, which counts for itself.
  expect(ends()).toBeGreaterThanOrEqual(2);
  expect(ends()).toBeLessThanOrEqual(4);
});
