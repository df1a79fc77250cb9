// The first webhook of the README: its handler runs as it stands there, and a message of its device is acknowledged.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { parseCausewayConfig } from '../../infra/config/config.ts';
import { hookRoutes } from '../../infra/local/hooks.ts';
import { reportCalls } from '../../infra/local/report.ts';
import { parseSettings } from '../../infra/local/settings.ts';
import { startStack } from '../../infra/local/stack.ts';
import { temporaryFolder } from '../support/brokers.ts';
import { freePort } from '../support/ports.ts';
import { until } from '../support/wait.ts';

const readme = readFileSync('README.md', 'utf8');

test('the handler prints what the README says', async () => {
  const folder = temporaryFolder('readme');
  const port = await freePort();
  const [, source = ''] = /```js\n(.*?)```/s.exec(readme) ?? [];
  expect(source).toContain('.listen(3000)');
  writeFileSync(join(folder, 'hook.mjs'), source.replace('3000', String(port)));
  const handler = spawn(process.execPath, [join(folder, 'hook.mjs')]);
  onTestFinished(() => void handler.kill());
  let printed = '';
  handler.stdout.on('data', (chunk) => {
    printed += chunk;
  });

  const settings = parseSettings({ PORT: '0', MQTT_PORT: '0', DATA_DIR: folder });
  const config = parseCausewayConfig({
    broker: { url: 'mqtts://broker.example.com' },
    routes: [{ name: 'store', filter: '#' }],
  });
  if (!settings.ok || !config.ok) throw new Error('the test is wrong');
  const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
  const hooks = hookRoutes([{ url: `http://localhost:${port}` }], secret);
  const lines: string[] = [];
  const stack = await startStack(settings.value, config.value, pino({ level: 'silent' }), {
    hooks,
    onCallOf: (name) =>
      name === hooks[0]?.name ? reportCalls(name, (line) => lines.push(line)) : undefined,
  });
  onTestFinished(() => stack.stop());
  const device = await mqtt.connectAsync(stack.brokerUrl);
  onTestFinished(() => device.endAsync(true));
  await device.publishAsync('rooms/kitchen', '{"celsius":21.5}', { qos: 1 });

  await until(() => printed.includes('\n'));
  const [, said = ''] = /The handler prints `(.*?)`/.exec(readme) ?? [];
  expect(printed.trim()).toBe(said);
  await until(() => lines.some((line) => / 204 .* delivered/.test(line)));
});
