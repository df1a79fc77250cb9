// `npm start` with WEBHOOKS: a route with a handler of its own beside one that stores, with secrets from a file.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test } from 'vitest';
import { type CausewayConfigInput, parseCausewayConfig } from '../../infra/config/config.ts';
import { parseSettings } from '../../infra/local/settings.ts';
import { startStack } from '../../infra/local/stack.ts';
import { temporaryFolder } from '../support/brokers.ts';
import { type Consumer, startConsumer } from '../support/consumer.ts';
import { until } from '../support/wait.ts';

const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const silent = pino({ level: 'silent' });

function configFor(consumer: Consumer) {
  const config = parseCausewayConfig({
    broker: { url: 'mqtts://broker.example.com' },
    routes: [
      { name: 'all', filter: '#' },
      {
        name: 'hook',
        filter: 'rooms/#',
        handler: {
          url: `${consumer.url}rooms/{2}`,
          allowPrivate: true,
          format: 'raw',
          secretName: 'hook',
          basicSecret: 'login',
        },
      },
    ],
  } satisfies CausewayConfigInput);
  if (!config.ok) throw new Error(JSON.stringify(config.faults));
  return config.value;
}

function settingsWith(environment: Record<string, string>) {
  const settings = parseSettings({
    PORT: '0',
    MQTT_PORT: '0',
    DATA_DIR: temporaryFolder('webhook'),
    ...environment,
  });
  if (!settings.ok) throw new Error(JSON.stringify(settings.faults));
  return settings.value;
}

test('a message is stored, and goes to the webhook when that is asked for', async () => {
  const consumer = await startConsumer();
  const file = join(temporaryFolder('secrets'), 'secrets.json');
  const login = { username: 'bridge', password: 'hunter2' };
  writeFileSync(file, JSON.stringify({ hook: secret, login }), { mode: 0o600 });
  const settings = settingsWith({ WEBHOOKS: 'true', SECRETS_FILE: file });
  const stack = await startStack(settings, configFor(consumer), silent);
  onTestFinished(() => stack.stop());
  const device = await mqtt.connectAsync(stack.brokerUrl, { protocolVersion: 4 });
  onTestFinished(() => device.endAsync(true));
  await device.publishAsync('rooms/kitchen', '{"celsius":21.5}', { qos: 1 });
  const { target, headers, body } = await until(() => consumer.consumed[0]);
  expect([target, body.toString()]).toEqual(['/rooms/kitchen', '{"celsius":21.5}']);
  expect(headers.authorization).toBe(`Basic ${btoa('bridge:hunter2')}`);
  new Webhook(secret).verify(body, headers as Record<string, string>);
  const messages = await until(async () => {
    const response = await fetch(`${stack.apiUrl}/v1/messages?topic=rooms/kitchen`, {
      headers: { authorization: `Bearer ${stack.token}` },
    });
    const answer = (await response.json()) as { messages: object[] };
    return answer.messages.length > 0 ? answer.messages : undefined;
  });
  expect(messages).toMatchObject([{ payload: { celsius: 21.5 } }]);
});

test('WEBHOOKS without their secrets says what is missing', async () => {
  const consumer = await startConsumer();
  const starting = startStack(settingsWith({ WEBHOOKS: 'true' }), configFor(consumer), silent);
  await expect(starting).rejects.toThrow(
    'SECRETS_FILE: is needed: causeway.config.ts names hook, login',
  );
  const file = join(temporaryFolder('secrets'), 'secrets.json');
  writeFileSync(file, JSON.stringify({ hook: secret }), { mode: 0o600 });
  const settings = settingsWith({ WEBHOOKS: 'true', SECRETS_FILE: file });
  await expect(startStack(settings, configFor(consumer), silent)).rejects.toThrow(
    `SECRETS_FILE: ${file}: lacks what causeway.config.ts names: login`,
  );
});

test('a route whose handler has answered 410 is no reason not to start again', async () => {
  const consumer = await startConsumer();
  consumer.answer = (_, response) => void response.writeHead(410).end();
  const file = join(temporaryFolder('secrets'), 'secrets.json');
  const login = { username: 'bridge', password: 'hunter2' };
  writeFileSync(file, JSON.stringify({ hook: secret, login }), { mode: 0o600 });
  const settings = settingsWith({ WEBHOOKS: 'true', SECRETS_FILE: file });
  const before = await startStack(settings, configFor(consumer), silent);
  const device = await mqtt.connectAsync(before.brokerUrl, { protocolVersion: 4 });
  // The URL has levels of the topic: the 410 of one room is that room's, those of several are the handler's.
  for (const room of ['kitchen', 'hall', 'attic', 'cellar'])
    await device.publishAsync(`rooms/${room}`, 'dark', { qos: 1 });
  await device.endAsync();
  const problems = ['route hook: disabled: the handler answered 410'];
  const readyz = async () => (await fetch(`${before.apiUrl}/readyz`)).json();
  await until(async () => ((await readyz()) as { problems: string[] }).problems.length > 0);
  await before.stop();

  const stack = await startStack(settings, configFor(consumer), silent);
  onTestFinished(() => stack.stop());
  expect(stack.problems).toEqual(problems);
  consumer.answer = (_, response) => void response.writeHead(204).end();
  consumer.consumed.length = 0;
  const response = await fetch(`${stack.apiUrl}/v1/routes/hook/resume`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stack.token}` },
  });
  expect(response.status).toBe(200);
  expect((await until(() => consumer.consumed[0])).body.toString()).toBe('dark');
});
