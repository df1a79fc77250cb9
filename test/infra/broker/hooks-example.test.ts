// The example of hooks in the broker's README is code that compiles, and does what it says.
import { readFileSync } from 'node:fs';
import mqtt from 'mqtt';
import { expect, onTestFinished, test, vi } from 'vitest';
import { temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';
import { startHouse } from './hooks-example.ts';

test('the README shows it as it is', () => {
  const source = readFileSync('test/infra/broker/hooks-example.ts', 'utf8');
  const readme = readFileSync('infra/broker/README.md', 'utf8');
  const shown = source.replaceAll('../../../infra/broker/', './');
  expect(readme).toContain(`\`\`\`ts\n${shown}\`\`\``);
});

test('the validator decides, and the events are heard', async () => {
  const printed = vi.spyOn(console, 'log').mockImplementation(() => {});
  onTestFinished(() => printed.mockRestore());
  const { broker, away } = await startHouse(0, temporaryFolder('house'), 'knock knock');
  onTestFinished(() => broker.close());
  const connect = (password: string) =>
    mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, {
      clientId: 'lamp-1',
      username: 'lamp',
      password,
      reconnectPeriod: 0,
    });
  await expect(connect('let me in')).rejects.toMatchObject({ code: 4 });
  const lamp = await connect('knock knock');
  const heard: string[] = [];
  lamp.on('message', (topic, payload) => heard.push(`${topic} ${payload}`));
  await lamp.subscribeAsync('rooms/#', { qos: 1 });
  await lamp.publishAsync('rooms/lamp/state', 'on', { qos: 1 });
  await until(() => heard.length === 2);
  expect(heard).toEqual(['rooms/all open', 'rooms/lamp/state on']);
  expect(printed).toHaveBeenCalledWith('lamp-1: rooms/lamp/state, 2 B');
  await lamp.endAsync();
  await until(() => away.get('lamp-1') === 'clean');
});
