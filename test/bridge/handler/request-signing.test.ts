// Signatures of requests as a handler sees them, secrets by name and their rotation included.
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createSecrets, minAgeMs } from '../../../bridge/base/secrets.ts';
import { webhookSecretsIn } from '../../../bridge/handler/secret-forms.ts';
import { signatureFault } from '../../../functions/contract/signature.ts';
import { startHandler } from '../../support/handler.ts';
import { startFakeSecretsManager } from '../fake-secrets-manager.ts';
import { openSink, send } from './routes.ts';

const oldSecret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const newSecret = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;

test.each([
  [oldSecret, [oldSecret]],
  [`${newSecret}\n${oldSecret}\r\n`, [newSecret, oldSecret]],
  [JSON.stringify([newSecret, oldSecret]), [newSecret, oldSecret]],
  ['', undefined],
  ['[', undefined],
  ['{"secret":"whsec_"}', undefined],
  [`${oldSecret}\nhunter2`, undefined],
])('%s is a secret, or several, or none', (text, expected) => {
  expect(webhookSecretsIn(text)).toEqual(expected);
});

async function namedSink(value: string | null) {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  onTestFinished(() => clock.mockRestore());
  const manager = await startFakeSecretsManager({ hooks: value });
  const handler = await startHandler();
  onTestFinished(() => handler.close());
  const secrets = createSecrets(pino({ level: 'silent' }), manager.client);
  const sink = await openSink({ url: handler.url, secretName: 'hooks' }, { secrets });
  const faultWith = (secret: string) =>
    signatureFault(
      secret,
      handler.requests.at(-1)?.headers as Record<string, string>,
      Buffer.from(handler.requests.at(-1)?.body ?? ''),
      Date.now(),
    );
  return { clock, manager, handler, sink, faultWith };
}

test('with several secrets, each alone is enough for the handler', async () => {
  const { sink, faultWith } = await namedSink(`${newSecret}\n${oldSecret}`);
  expect(await send(sink)).toMatchObject({ verdict: { kind: 'answered' } });
  expect([faultWith(newSecret), faultWith(oldSecret)]).toEqual([undefined, undefined]);
  expect(faultWith(`whsec_${Buffer.alloc(32, 3).toString('base64')}`)).toBe('no signature matches');
});

test.each([401, 403])('after a %i the secret is read again', async (status) => {
  const { clock, manager, handler, sink, faultWith } = await namedSink(oldSecret);
  handler.answer = (_, response) => {
    response.statusCode = faultWith(newSecret) === undefined ? 200 : status;
    response.end();
  };
  expect(await send(sink)).toMatchObject({ verdict: { kind: 'hold' } });
  manager.values.set('hooks', newSecret);
  clock.mockReturnValue(minAgeMs);
  expect(await send(sink)).toMatchObject({ verdict: { kind: 'hold' } });
  expect(await send(sink)).toMatchObject({ verdict: { kind: 'answered' } });
  expect(manager.reads).toHaveLength(2);
});

test.each([
  [null, /^the secret hooks cannot be read: ResourceNotFoundException/],
  ['hunter2', /^the secret hooks must be whsec_/],
])(
  'a secret that is %s holds the route; nothing is sent, and nothing secret said',
  async (value, reason) => {
    const { handler, sink } = await namedSink(value);
    const { verdict } = await send(sink);
    expect(verdict).toMatchObject({ kind: 'hold', reason: expect.stringMatching(reason) });
    expect(JSON.stringify(verdict)).not.toContain('hunter2');
    expect(handler.requests).toEqual([]);
  },
);
