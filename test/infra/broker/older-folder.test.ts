// A folder of the version before, which spoke MQTT 3.1.1 alone: its sessions, queues, retained messages and wills are read on.
import mqtt from 'mqtt';
import { expect, test } from 'vitest';
import { keyNumber, Store } from '../../../infra/broker/store/broker-store.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';
import { closeAfterTest, connect, start } from './started.ts';

/** A message as it was kept: flags (QoS, 4 for retained, 8 for released), the topic after its length, the payload. */
function kept(flags: number, topic: string, payload: string): Buffer {
  const name = Buffer.from(topic);
  return Buffer.concat([Buffer.from([flags, 0, name.length]), name, Buffer.from(payload)]);
}

async function olderFolder(): Promise<string> {
  const folder = temporaryFolder('older');
  const store = await Store.open(folder);
  const put = (key: string, value: string | Buffer) =>
    store.write({ type: 'put', key, value: Buffer.from(value) });
  const session = JSON.stringify({ user: undefined, lastSeenMs: Date.now() - 1000 });
  await put('session:a%2Fb', session);
  await put('subscription:a%2Fb:x%2F%2B', '2');
  await put('sent:a%2Fb', '7');
  await put(`queue:a%2Fb:${keyNumber(6)}`, kept(2 | 8, '', ''));
  await put(`queue:a%2Fb:${keyNumber(7)}`, kept(1, 'x/1', 'sent before'));
  await put(`queue:a%2Fb:${keyNumber(8)}`, kept(2, 'x/2', 'not sent'));
  await put(`incoming:a%2Fb:${keyNumber(9)}`, '');
  // Left by a connection that had lost its session.
  await put(`queue:gone:${keyNumber(1)}`, kept(1, 'x/1', 'nobody'));
  await put('retained:x%2Fkept', kept(1 | 4, 'x/kept', 'retained'));
  const facts = { clientId: 'lamp', user: null, address: '', transport: 'tcp', epoch: 5 };
  const will = kept(1, 'x/will', 'lost').toString('base64');
  await put(`connection:${keyNumber(5)}`, JSON.stringify({ facts, will }));
  await store.close();
  return folder;
}

test.each([4, 5] as const)('it is read on, by a client of MQTT version %i', async (version) => {
  const folder = await olderFolder();
  const broker = await start({ folder });
  expect(broker.backlogOf('a/b')).toBe(4);
  const received: string[] = [];
  const url = `mqtt://127.0.0.1:${broker.port}`;
  const client = mqtt.connect(url, {
    clientId: 'a/b',
    clean: false,
    protocolVersion: version,
    reconnectPeriod: 0,
    ...(version === 5 && { properties: { sessionExpiryInterval: 100 } }),
  });
  closeAfterTest(() => client.endAsync(true));
  client.on('message', (topic, payload, { dup, qos }) =>
    received.push(`${topic}=${payload} ${qos} ${dup}`),
  );
  const present = await new Promise((resolve) => {
    client.once('connect', ({ sessionPresent }) => resolve(sessionPresent));
  });
  expect(present).toBe(true);
  await until(() => received.length === 3);
  expect(received.sort()).toEqual([
    'x/1=sent before 1 true',
    'x/2=not sent 2 false',
    'x/will=lost 1 false',
  ]);
  await until(() => broker.backlogOf('a/b') === 0);
  const reader = await connect(broker);
  const retained: string[] = [];
  reader.on('message', (topic, payload) => retained.push(`${topic}=${payload}`));
  await reader.subscribeAsync('x/kept');
  await until(() => retained.length === 1);
  expect(retained).toEqual(['x/kept=retained']);
  await client.endAsync();
  await broker.close();
  const store = await Store.open(folder);
  const left: string[] = [];
  for await (const [key] of store.entries('queue:')) left.push(key);
  expect(left).toEqual([]);
  await store.close();
});
