// The settings of `npm start`: those of the embedded broker have the names that they have alone.
import { describe, expect, test } from 'vitest';
import { parseSettings, settingsHelp } from '../../../infra/local/settings.ts';

const faults = (environment: Record<string, string>) => {
  const parsed = parseSettings(environment);
  return parsed.ok ? [] : parsed.faults.map(({ field, rule }) => `${field}: ${rule}`);
};

test('the broker is put together from all of them', () => {
  const parsed = parseSettings({
    MQTT_PORT: '1884',
    DATA_DIR: 'data',
    BROKER_TLS_HOST: '0.0.0.0',
    BROKER_TLS_CERT_FILE: 'a.pem',
    BROKER_TLS_KEY_FILE: 'b.pem',
    BROKER_USERS_FILE: 'users.json',
    BROKER_WEBSOCKET_PORT: '',
    BROKER_MAX_SESSIONS: '7',
  });
  expect(parsed).toMatchObject({
    ok: true,
    value: {
      USE_CONFIG_BROKER: false,
      broker: {
        host: '127.0.0.1',
        port: 1884,
        folder: 'data/broker',
        usersFile: 'users.json',
        tls: { port: 8883, host: '0.0.0.0', certFile: 'a.pem', keyFile: 'b.pem' },
        limits: { maxSessions: 7 },
      },
    },
  });
  expect(parsed.ok && parsed.value.broker?.websocket).toBeUndefined();
});

test('everything wrong is named at once', () => {
  expect(
    faults({
      PORT: 'x',
      LOG_LEVEL: 'loud',
      BROKER_PORT: '1884',
      BROKER_FOLDER: 'here',
      BROKER_TLS_PORT: '8883',
      BROKER_USER_FILE: 'users.json',
    }),
  ).toEqual([
    'PORT: must be a port number from 0 to 65535',
    'LOG_LEVEL: must be one of trace, debug, info, warn, error, fatal, silent',
    'BROKER_PORT: is MQTT_PORT here',
    'BROKER_FOLDER: is in DATA_DIR here',
    'BROKER_USER_FILE: is not a known setting',
    'tls.certFile (BROKER_TLS_CERT_FILE): must name a file',
    'tls.keyFile (BROKER_TLS_KEY_FILE): must name a file',
  ]);
});

describe('another broker than the embedded one', () => {
  test.each([{ BROKER_URL: 'mqtt://127.0.0.1' }, { USE_CONFIG_BROKER: 'true' }])('%j', (chosen) => {
    const parsed = parseSettings(chosen);
    expect(parsed.ok && parsed.value.broker).toBeUndefined();
    expect(faults({ ...chosen, BROKER_USERS_FILE: 'users.json' })).toEqual([
      'BROKER_USERS_FILE: is for the embedded broker, and another is used',
    ]);
  });

  test('one of the two', () => {
    expect(faults({ BROKER_URL: 'mqtt://127.0.0.1', USE_CONFIG_BROKER: 'true' })).toEqual([
      'USE_CONFIG_BROKER: must not be true beside BROKER_URL',
    ]);
    expect(faults({ USE_CONFIG_BROKER: 'yes' })).toEqual([
      'USE_CONFIG_BROKER: must be true or false',
    ]);
  });
});

describe('HOST', () => {
  const token = 'a-token-of-16-and-more';

  test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('%s is this machine', (HOST) => {
    expect(faults({ HOST })).toEqual([]);
  });

  test.each(['0.0.0.0', '::', '192.168.1.7', 'gateway.lan'])('%s needs a token', (HOST) => {
    expect(faults({ HOST })).toEqual([expect.stringMatching(/^HOST: .*API_TOKEN/)]);
    expect(faults({ HOST, API_TOKEN: token })).toEqual([]);
  });

  test.each(['http://x', 'a b', '[::]'])('%j is none', (HOST) => {
    expect(faults({ HOST, API_TOKEN: token })).toEqual([
      'HOST: must be an IP address or a host name',
    ]);
  });

  test('a certificate has a key', () => {
    expect(faults({ TLS_CERT_FILE: 'a.pem' })).toEqual([
      'TLS_KEY_FILE: must be given with TLS_CERT_FILE',
    ]);
    expect(faults({ TLS_KEY_FILE: 'a.pem' })).toEqual([
      'TLS_CERT_FILE: must be given with TLS_KEY_FILE',
    ]);
    expect(faults({ TLS_KEY_FILE: 'a.pem', TLS_CERT_FILE: 'b.pem' })).toEqual([]);
  });
});

test('--help has them all, but for those that are said otherwise', () => {
  const help = settingsHelp();
  for (const name of ['USE_CONFIG_BROKER', 'SECRETS_FILE', 'BROKER_USERS_FILE', 'BROKER_HOST'])
    expect(help).toMatch(new RegExp(`^  ${name} +\\w`, 'm'));
  expect(help).not.toMatch(/BROKER_(PORT|FOLDER)/);
});
