// Alerts of a whole stack on one machine: a route that holds and recovers, and a client that goes and comes back.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test } from 'vitest';
import { parseCausewayConfig } from '../../infra/config/config.ts';
import { parseSettings } from '../../infra/local/settings.ts';
import { startStack } from '../../infra/local/stack.ts';
import { startRawHandler } from '../bridge/routes/raw-handler.ts';
import { temporaryFolder } from '../support/brokers.ts';
import { until } from '../support/wait.ts';

const secret = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;

test('a route that holds, a client that is offline, and when either is over', async () => {
  const folder = temporaryFolder('alerts');
  const file = join(folder, 'secrets.json');
  writeFileSync(file, JSON.stringify({ hook: secret, alerts: secret }), { mode: 0o600 });
  const [handler, endpoint] = [await startRawHandler(), await startRawHandler()];
  onTestFinished(() => handler.close());
  onTestFinished(() => endpoint.close());
  const settings = parseSettings({
    PORT: '0',
    MQTT_PORT: '0',
    DATA_DIR: folder,
    WEBHOOKS: 'true',
    SECRETS_FILE: file,
  });
  const config = parseCausewayConfig({
    broker: { url: 'mqtts://broker.example.com' },
    routes: [
      { name: 'store', filter: '#' },
      {
        name: 'hook',
        filter: 'rooms/#',
        handler: { url: handler.url, allowPrivate: true, secretName: 'hook' },
      },
    ],
    alerts: {
      url: endpoint.url,
      allowPrivate: true,
      secretName: 'alerts',
      clients: ['pump-1'],
      afterSeconds: 0,
    },
  });
  if (!settings.ok || !config.ok) throw new Error(JSON.stringify([settings, config]));
  const stack = await startStack(settings.value, config.value, pino({ level: 'silent' }));
  onTestFinished(() => stack.stop());

  const told = () =>
    endpoint.requests.map(({ body, headers }) => {
      const event = new Webhook(secret).verify(body, headers as Record<string, string>);
      const { alert, state, subject } = (event as { data: Record<string, string> }).data;
      return `${alert} ${subject} ${state}`;
    });
  const untilTold = (line: string) => until(() => told().includes(line), { what: line });

  const connect = (clientId: string) => mqtt.connectAsync(stack.brokerUrl, { clientId });
  const other = await connect('other');
  onTestFinished(() => other.endAsync(true));
  const pump = await connect('pump-1');
  handler.answer = { status: 503, body: '' };
  await other.publishAsync('rooms/kitchen', '1', { qos: 1 });
  await untilTold('holding hook began');
  await pump.endAsync();
  await untilTold('client-offline pump-1 began');
  handler.answer = { status: 200, body: 'OK' };
  await untilTold('holding hook recovered');
  const back = await connect('pump-1');
  onTestFinished(() => back.endAsync(true));
  await untilTold('client-offline pump-1 recovered');
  expect(told().filter((line) => line.includes('other'))).toEqual([]);
});
