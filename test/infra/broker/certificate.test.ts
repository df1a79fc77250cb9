// A certificate that changes while clients are connected.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import mqtt from 'mqtt';
import { pino } from 'pino';
import { beforeAll, expect, test } from 'vitest';
import type { EmbeddedBroker } from '../../../infra/broker/broker.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';
import { certificatesIn } from './certificates.ts';
import { closeAfterTest, start } from './started.ts';

const { pem, make } = certificatesIn(temporaryFolder('certificate'));
beforeAll(() => {
  make('authority');
  for (const name of ['first', 'second', 'third']) make(name, 'authority');
});

const use = (name: string) => {
  copyFileSync(pem(name), pem('used'));
  copyFileSync(pem(`${name}-key`), pem('used-key'));
};

/** The name in the certificate that a new connection is shown. */
async function shown(port: number | undefined): Promise<unknown> {
  const socket = connectTls({ port, host: '127.0.0.1', ca: readFileSync(pem('authority')) });
  await new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return CN;
}

const both = async ({ ports }: EmbeddedBroker) => [await shown(ports.tls), await shown(ports.wss)];

test('it is shown to new connections, nobody is disconnected, and a broken one changes nothing', async () => {
  use('first');
  const lines: string[] = [];
  const broker = await start({
    port: null,
    tls: { port: 0, certFile: pem('used'), keyFile: pem('used-key') },
    websocket: { port: 0, tls: true },
    watchIntervalMs: 20,
    log: pino({}, { write: (line) => lines.push(line) }),
  });
  const ca = readFileSync(pem('authority'));
  const clients = await Promise.all(
    [`mqtts://127.0.0.1:${broker.ports.tls}`, `wss://127.0.0.1:${broker.ports.wss}/mqtt`].map(
      (url) => mqtt.connectAsync(url, { ca, reconnectPeriod: 0 }),
    ),
  );
  for (const client of clients) closeAfterTest(() => client.end(true));
  expect(await both(broker)).toEqual(['first', 'first']);

  use('second');
  await until(async () => String(await both(broker)) === 'second,second');
  // A key of another certificate, and no certificate at all: as while somebody is copying them.
  const faults = broker.counters.filesUnusable;
  copyFileSync(pem('third-key'), pem('used-key'));
  await until(() => broker.counters.filesUnusable > faults);
  writeFileSync(pem('used'), 'no certificate');
  await until(() => broker.counters.filesUnusable > faults + 1);
  expect(lines.at(-1)).toContain('the old one holds');
  expect(lines.join()).not.toContain('PRIVATE');
  expect(await both(broker)).toEqual(['second', 'second']);
  copyFileSync(pem('third'), pem('used'));
  await until(async () => String(await both(broker)) === 'third,third');

  expect(clients.map(({ connected }) => connected)).toEqual([true, true]);
  for (const client of clients) await client.publishAsync('a', 'b', { qos: 1 });
});

test('files that go, or that do not fit at the start, are named', async () => {
  const broken = { port: 0, certFile: pem('first'), keyFile: pem('second-key') };
  await expect(start({ tls: broken })).rejects.toMatchObject({ field: 'tls.certFile' });
  const missing = { port: 0, certFile: pem('nowhere'), keyFile: pem('first-key') };
  await expect(start({ tls: missing })).rejects.toThrow(/ENOENT.*nowhere/);
});
