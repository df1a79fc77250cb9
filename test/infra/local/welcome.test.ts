// What is printed at the start: lines that can be pasted as they are, without a secret, and what does not run.
import { describe, expect, test } from 'vitest';
import { type CausewayConfigInput, parseCausewayConfig } from '../../../infra/config/config.ts';
import { parseSettings } from '../../../infra/local/settings.ts';
import { welcome } from '../../../infra/local/welcome.ts';

const broker = { url: 'mqtts://broker.example.com:8883' };
const hook = { url: 'https://shop.example.com/mqtt', secretName: 'hook' };

function textWith(
  environment: Record<string, string>,
  stack: { apiUrl?: string; brokerUrl?: string; problems?: string[]; token?: string } = {},
  input: Partial<CausewayConfigInput> = {},
): string {
  const settings = parseSettings(environment);
  const config = parseCausewayConfig({
    broker,
    routes: [{ name: 'store', filter: '#' }],
    ...input,
  });
  if (!settings.ok || !config.ok) throw new Error(JSON.stringify({ settings, config }));
  return welcome(
    {
      apiUrl: 'http://127.0.0.1:8080',
      brokerUrl: 'mqtt://127.0.0.1:1883',
      brokerUrls: ['mqtt://127.0.0.1:1883'],
      database: { where: '.causeway/table (0.1 MB)' },
      bridgeUrl: 'http://127.0.0.1:9100',
      token: 'a-token',
      problems: [],
      ...stack,
    },
    { settings: settings.value, config: config.value, demo: false },
  );
}

test.each([
  [{}, {}, {}, '-h 127.0.0.1 -p 1883 -q 1'],
  [{ BROKER_USERS_FILE: 'u' }, {}, {}, '-h 127.0.0.1 -p 1883 -u USER -P PASSWORD -q 1'],
  [
    { BROKER_URL: 'mqtts://me:hunter2@[::1]' },
    { brokerUrl: 'mqtts://me:hunter2@[::1]' },
    {},
    '-h ::1 -p 8883 -C mqtts -u USER -P PASSWORD -q 1',
  ],
  [
    { USE_CONFIG_BROKER: 'true' },
    { brokerUrl: broker.url },
    {
      broker: {
        ...broker,
        caSecret: 'ca',
        clientCertificateSecret: 'certificate',
        credentialsSecret: 'login',
      },
    },
    '-h broker.example.com -p 8883 -C mqtts --ca CA_FILE --cert CERTIFICATE_FILE --key KEY_FILE -u USER -P PASSWORD -q 1',
  ],
])('how a device gets in: %j', (environment, stack, input, options) => {
  const text = textWith(environment as Record<string, string>, stack, input);
  expect(text).toContain(`npx mqtt pub ${options}`);
  expect(text).toContain(`npx mqtt sub ${options}`);
  expect(text).not.toContain('hunter2');
});

test('routes that do not run are named, and what is not ready', () => {
  const routes = [
    { name: 'store', filter: '#' },
    { name: 'orders', filter: 'orders/#', handler: hook },
  ];
  const leftOut = 'Without WEBHOOKS=true, routes with a handler do not run: orders\n';
  expect(textWith({}, {}, { routes })).toContain(leftOut);
  expect(textWith({ WEBHOOKS: 'true' }, {}, { routes })).not.toContain('WEBHOOKS');
  expect(
    textWith({}, { problems: ['route orders: disabled: the handler answered 410'] }),
  ).toContain('Not ready:\n  route orders: disabled: the handler answered 410\n');
});

describe('what other machines can reach', () => {
  const open = { HOST: '0.0.0.0', API_TOKEN: 'a-secret-of-somebody' };

  test('no token is printed, and lines to paste lead to this machine', () => {
    const text = textWith(open, { apiUrl: 'http://0.0.0.0:8080', token: open.API_TOKEN });
    expect(text).toContain('"Authorization: Bearer $API_TOKEN"');
    expect(text).toContain('http://127.0.0.1:8080/v1/publish');
    expect(text).not.toContain(open.API_TOKEN);
    expect(text).toContain('without TLS');
  });

  test('with TLS the name is that of the certificate', () => {
    const tls = { TLS_CERT_FILE: 'a.pem', TLS_KEY_FILE: 'b.pem' };
    const text = textWith({ ...open, ...tls }, { apiUrl: 'https://0.0.0.0:8443' });
    expect(text).toContain('https://HOST_NAME:8443/v1/publish');
    expect(text).not.toContain('without TLS');
  });
});
