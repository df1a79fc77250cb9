// Headers whose values stand in secrets, and what a malformed secret of any kind does at the start.
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createSecrets, minAgeMs } from '../../../bridge/base/secrets.ts';
import { malformedSecrets } from '../../../bridge/handler/secret-forms.ts';
import { startConsumer } from '../../support/consumer.ts';
import { message } from '../../support/messages.ts';
import { CertificateFiles } from '../connection/certificate-files.ts';
import { startFakeSecretsManager } from '../fake-secrets-manager.ts';
import { openSink, routeOf, send } from './routes.ts';

const log = pino({ level: 'silent' });
const headers = { 'X-Api-Key': { secret: 'key' }, 'x-team': 'blue' };

test('a secret header comes with each request, beside a signature, and is read again after a 401', async () => {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  onTestFinished(() => clock.mockRestore());
  const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
  const manager = await startFakeSecretsManager({ key: 'old key\n' });
  const secrets = createSecrets(log, manager.client);
  const consumer = await startConsumer();
  consumer.answer = ({ headers: got }, response) =>
    void response.writeHead(got['x-api-key'] === 'new key' ? 204 : 401).end();
  const sink = await openSink({ url: consumer.url, headers, secret }, { secrets });
  expect(await send(sink, message())).toMatchObject({ status: 401 });
  expect(consumer.consumed[0]?.headers).toMatchObject({
    'x-api-key': 'old key',
    'x-team': 'blue',
    'webhook-signature': expect.stringMatching(/^v1,/),
  });
  manager.values.set('key', 'new key');
  clock.mockReturnValue(minAgeMs);
  await send(sink, message());
  expect(await send(sink, message())).toMatchObject({ status: 204 });
});

test.each([
  [null, /^the secret key cannot be read/],
  ['a\r\nevil: 1', /^the secret key must be the value of a header/],
  ['', /^the secret key must be the value of a header/],
])(
  'a header whose secret is %j holds the route: nothing is sent, nothing secret said',
  async (value, reason) => {
    const manager = await startFakeSecretsManager({ key: value });
    const consumer = await startConsumer();
    const secrets = createSecrets(log, manager.client);
    const sink = await openSink({ url: consumer.url, headers }, { secrets });
    const { verdict } = await send(sink, message());
    expect(verdict).toMatchObject({ kind: 'hold', reason: expect.stringMatching(reason) });
    expect(JSON.stringify(verdict)).not.toContain('evil');
    expect(consumer.consumed).toEqual([]);
  },
);

test('every malformed secret is found at the start, by its name; what cannot be read is not one', async () => {
  const files = new CertificateFiles();
  await files.make('client');
  await files.make('other');
  const pair = (certificate: string, key: string) =>
    JSON.stringify({ certificate: files.text(certificate), privateKey: files.text(`${key}-key`) });
  const values = {
    hook: ['abc', `whsec_${Buffer.alloc(32).toString('base64')}`],
    bearer: ['two words', 'token\n'],
    basic: ['user:password', '{"username":"a","password":"b"}'],
    key: ['a\nb', 'k1\n'],
    ca: ['no PEM', files.text('client').replaceAll('\n', '\\n')],
    client: [pair('client', 'other'), pair('client', 'client')],
  };
  const routes = [
    routeOf({
      secretName: 'hook',
      bearerSecret: 'bearer',
      headers: { 'x-key': { secret: 'key' } },
    }),
    routeOf({ secretName: 'hook', basicSecret: 'basic' }),
    routeOf({ caSecret: 'ca', clientCertificateSecret: 'client' }),
    routeOf({ secretName: 'absent' }),
  ];
  async function faultsWith(index: 0 | 1): Promise<string[]> {
    const given = Object.entries(values).map(([name, texts]) => [name, texts[index] ?? '']);
    const manager = await startFakeSecretsManager(Object.fromEntries(given));
    return malformedSecrets(routes, createSecrets(log, manager.client));
  }
  expect(await faultsWith(1)).toEqual([]);
  const faults = await faultsWith(0);
  expect(faults.map((fault) => /^the secret (\w+) must be /.exec(fault)?.[1]).sort()).toEqual(
    Object.keys(values).sort(),
  );
  expect(faults.join()).not.toMatch(/two words|user:password/);
});
