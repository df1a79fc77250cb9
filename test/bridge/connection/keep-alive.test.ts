// The keep-alive: what comes in counts as life, the broker's Server Keep Alive is kept while reading is stopped, and
// silence ends the connection.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { startKeepAlive } from '../../../bridge/connection/keep-alive.ts';
import { until } from '../../support/wait.ts';
import { int16, properties, publish } from '../packets/wire.ts';
import { setUp } from '../session/raw-bridge.ts';

const oneSecond = properties([19, int16(1)]);
const pings = (packets: readonly { cmd: string }[] | undefined) =>
  packets?.filter(({ cmd }) => cmd === 'pingreq').length ?? 0;

test('while reading is stopped the broker still hears from us in each Server Keep Alive', async () => {
  const queue = Array.from({ length: 4500 }, (_, index) => publish(index + 1, 'a', 'x'));
  const { broker, handler, reasons } = await setUp({ connackProperties: oneSecond }, queue);
  handler.answer = (_, response) => {
    response.statusCode = 503;
    response.end();
  };
  await until(() => handler.requests.length > 0);
  const before = pings(broker.connections[0]);
  await delay(4000);
  // One every half second, whatever a busy machine makes of it.
  expect(pings(broker.connections[0]) - before).toBeGreaterThanOrEqual(4);
  expect([reasons, broker.connections.length]).toEqual([[], 1]);
});

test('a PINGRESP that never comes is none of silence while messages come', async () => {
  const { broker, bridge, reasons, stored } = await setUp({
    connackProperties: oneSecond,
    answersPings: false,
  });
  await until(() => bridge.status().ready);
  for (let id = 1; id <= 14; id++) {
    broker.unacknowledged.set(id, Buffer.alloc(0));
    broker.send(publish(id, 'a', String(id)));
    await delay(250);
  }
  expect([reasons, stored().length]).toEqual([[], 14]);
  await until(() => reasons.length > 0);
  expect(reasons).toEqual(['the broker has said nothing for 1.5 s (keep-alive)']);
});

test('bytes that have come while the event loop was busy are heard before it is judged', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [peer]: Socket[] = await once(server, 'connection');
  const incoming = { isReading: true, heardMs: performance.now() };
  socket.on('data', () => {
    incoming.heardMs = performance.now();
  });
  const reasons: string[] = [];
  const stop = startKeepAlive({
    seconds: 0.4,
    incoming,
    ping: () => {},
    onDead: (reason) => reasons.push(reason),
  });
  onTestFinished(() => {
    stop();
    socket.destroy();
    server.close();
  });
  for (let round = 0; round < 3; round++) {
    await delay(50);
    // It is there before the loop is busy.
    peer?.write('x');
    const busyUntilMs = performance.now() + 900;
    while (performance.now() < busyUntilMs);
  }
  await delay(50);
  expect(reasons).toEqual([]);
  socket.removeAllListeners('data');
  await until(() => reasons.length > 0);
});
