// `npm start -- --hook`: the first event arrives signed, each request is told, and what holds is told with its reason.
import { createServer } from 'node:http';
import mqtt from 'mqtt';
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test } from 'vitest';
import { parseCausewayConfig } from '../../infra/config/config.ts';
import { hookSecretIn } from '../../infra/local/hook-secret.ts';
import { hookRoutes } from '../../infra/local/hooks.ts';
import { reportCalls } from '../../infra/local/report.ts';
import { parseSettings } from '../../infra/local/settings.ts';
import { startStack } from '../../infra/local/stack.ts';
import { temporaryFolder } from '../support/brokers.ts';
import { listenDuringTest } from '../support/listen-during-test.ts';
import { until } from '../support/wait.ts';

test('a handler of ten lines verifies its first event; one that is away is told of, and when it is back', async () => {
  const folder = temporaryFolder('hook');
  const { secret } = await hookSecretIn(folder);
  const verified: unknown[] = [];
  let status = 503;
  const handler = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (status === 200)
      verified.push(
        new Webhook(secret).verify(
          Buffer.concat(chunks).toString(),
          request.headers as Record<string, string>,
        ),
      );
    response.writeHead(status).end('OK');
  });
  const port = await listenDuringTest(handler);

  const [route] = hookRoutes([{ url: `http://localhost:${port}/x`, filter: 'rooms/#' }], secret);
  const settings = parseSettings({ PORT: '0', MQTT_PORT: '0', DATA_DIR: folder });
  const config = parseCausewayConfig({
    broker: { url: 'mqtts://broker.example.com' },
    routes: [{ name: 'store', filter: '#' }],
  });
  if (!settings.ok || !config.ok || route === undefined) throw new Error('the test is wrong');
  const lines: string[] = [];
  const stack = await startStack(settings.value, config.value, pino({ level: 'silent' }), {
    hooks: [route],
    onCallOf: (name) =>
      name === route.name ? reportCalls(name, (line) => lines.push(line)) : undefined,
  });
  onTestFinished(() => stack.stop());
  const device = await mqtt.connectAsync(stack.brokerUrl);
  onTestFinished(() => device.endAsync(true));

  await device.publishAsync('rooms/kitchen', '{"celsius":21.5}', { qos: 1 });
  await device.publishAsync('other', 'x', { qos: 1 });
  await until(() => stack.conditions().some(({ kind }) => kind === 'holding'));
  expect(stack.conditions()).toMatchObject([
    { kind: 'holding', subject: route.name, reason: 'the handler answered 503', status: 503 },
  ]);
  status = 200;
  await until(() => verified.length === 1);
  expect(verified).toMatchObject([{ subject: 'rooms/kitchen' }]);
  await until(() => stack.conditions().length === 0);
  expect(lines[0]).toMatch(/rooms\/kitchen {2}503 {2}\d+ ms {2}holds/);
  expect(lines.at(-1)).toMatch(/rooms\/kitchen {2}200 {2}\d+ ms {2}delivered/);
});
