// What nobody but OneNET sends, or nobody at all: refused, and nothing of it said back.
import { describe, expect, test } from 'vitest';
import {
  maxPushed,
  type OneNetPushOptions,
  parsePush,
} from '../../../../functions/ingest/push/onenet.ts';
import { decrypt } from '../../../../functions/ingest/push/onenet-signature.ts';
import {
  aesKey,
  encrypted,
  olderBody,
  olderEncryptedBody,
  properties,
  pushBody,
  pushToken,
  signatureOf,
} from '../../../support/onenet-push.ts';

const nowMs = Date.parse('2026-11-23T08:00:00Z');

function problemOf(body: string, options: Partial<OneNetPushOptions> = {}) {
  const pushed = parsePush(body, { token: pushToken, ...options }, nowMs);
  return pushed.ok ? undefined : pushed.problem;
}

const good = JSON.stringify(properties(nowMs));
const body = JSON.parse(pushBody(good));
const withFields = (fields: object) => JSON.stringify({ ...body, ...fields });
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const device = { productId: 'p1', messageType: 'notify', notifyType: 'property', data: {} };

const hostile: readonly (readonly [string, string, string])[] = [
  ['nothing', '', 'invalid-json'],
  ['no JSON', 'msg=1&nonce=2', 'invalid-json'],
  ['half of it', pushBody(good).slice(0, -5), 'invalid-json'],
  ['null', 'null', 'invalid-request'],
  ['a list', `[${pushBody(good)}]`, 'invalid-request'],
  ['text', '"msg"', 'invalid-request'],
  ['an empty object', '{}', 'invalid-request'],
  ['no signature', withFields({ signature: undefined }), 'invalid-request'],
  ['an empty signature', withFields({ signature: '' }), 'invalid-request'],
  ['a signature that is a number', withFields({ signature: 5 }), 'invalid-request'],
  ['a signature in hex', withFields({ signature: 'd'.repeat(32) }), 'invalid-request'],
  ['a long signature', withFields({ signature: 'A'.repeat(1e5) }), 'invalid-request'],
  ['another signature', withFields({ signature: signatureOf('x', 'y') }), 'unauthorized'],
  ['no nonce', withFields({ nonce: undefined }), 'invalid-request'],
  ['an empty nonce', withFields({ nonce: '' }), 'invalid-request'],
  ['another nonce', withFields({ nonce: 'another1' }), 'unauthorized'],
  ['a long nonce', withFields({ nonce: 'x'.repeat(65) }), 'invalid-request'],
  ['a nonce with a line', withFields({ nonce: 'a\nb' }), 'invalid-request'],
  ['a nonce that is a list', withFields({ nonce: ['a'] }), 'invalid-request'],
  [
    'a nonce that has taken from the message',
    withFields({ nonce: `${body.nonce}{`, msg: good.slice(1) }),
    'invalid-request',
  ],
  ['no message', withFields({ msg: undefined }), 'invalid-request'],
  ['a message that is null', withFields({ msg: null }), 'invalid-request'],
  ['a message that is a number', withFields({ msg: 5 }), 'invalid-request'],
  ['another message', withFields({ msg: good.replace('21.5', '99') }), 'unauthorized'],
  ['a message with a space more', withFields({ msg: `${good} ` }), 'unauthorized'],
  ['both messages', withFields({ enc_msg: 'AAAA' }), 'invalid-request'],
  ['a message twice', pushBody(good).replace('{', '{"msg":"x",'), 'invalid-request'],
  ['a signature twice', pushBody(good).replace('{', '{"signature":"x",'), 'invalid-request'],
  ['the token of another', pushBody(good, 'C1z3?giR', 'another'), 'unauthorized'],
  ['no token', pushBody(good, 'C1z3?giR', ''), 'unauthorized'],
  ['an encrypted message without a key here', pushBody(encrypted(good)), 'invalid-request'],
  ['a ciphertext that is none', withFields({ msg: undefined, enc_msg: '%' }), 'invalid-request'],
  ['a message that is no object', pushBody('[5]'), 'invalid-request'],
  ['a message of lists', pushBody('[[]]'), 'invalid-request'],
  ['a message that is half JSON', pushBody('{"a":'), 'invalid-json'],
  ['no device', pushBody(device), 'invalid-request'],
  ['a device with a slash', pushBody({ ...device, deviceName: 'a/b' }), 'invalid-request'],
  ['a device with a wildcard', pushBody({ ...device, deviceName: '+' }), 'invalid-request'],
  ['a device that is a number', pushBody({ ...device, deviceName: 5 }), 'invalid-request'],
  ['a long device', pushBody({ ...device, deviceName: 'x'.repeat(65) }), 'invalid-request'],
  [
    'a product with a slash',
    pushBody({ ...device, productId: '../x', deviceName: 'd' }),
    'invalid-request',
  ],
  [
    'a type with a slash',
    pushBody({ ...device, deviceName: 'd', messageType: 'a/b' }),
    'invalid-request',
  ],
  ['a number of a device that is none', olderBody('{"type":1,"dev_id":1.5}'), 'invalid-request'],
  ['a type that is an object', olderBody('{"type":{"a":1},"dev_id":1}'), 'invalid-request'],
  ['data that is a list', pushBody({ ...device, deviceName: 'd', data: [] }), 'invalid-request'],
  ['deep data', pushBody(good.replace('21.5', nested(150))), 'invalid-request'],
  ['very deep data', pushBody(good.replace('21.5', nested(5000))), 'invalid-request'],
  [
    'too many messages',
    pushBody(
      `[${Array(maxPushed + 1)
        .fill(good)
        .join()}]`,
    ),
    'body-too-large',
  ],
  ['one bad among good ones', pushBody(`[${good},{"type":1}]`), 'invalid-request'],
];

test.each(hostile)('refuses %s', (_, sent, code) => {
  const problem = problemOf(sent);
  expect(problem?.code).toBe(code);
  // What was sent may hold a secret, and is not said back.
  expect(JSON.stringify(problem)).not.toContain('21.5');
});

describe('a ciphertext', () => {
  const options = { aesKey };
  test.each([
    ['another key', pushBody(encrypted(good, 'ponmlkjihgfedcba'))],
    ['half a block', pushBody(Buffer.from('half a block').toString('base64'))],
    [
      'no block',
      withFields({ msg: undefined, enc_msg: '', signature: signatureOf('', body.nonce) }),
    ],
    ['the older form', olderEncryptedBody(good)],
  ])('that cannot be used is refused: %s', (_, sent) => {
    expect(problemOf(sent, options)).toMatchObject({ status: 400 });
  });

  test('that was changed is not taken, as its signature does not hold', () => {
    const ciphertext = encrypted(good);
    const changed = `${ciphertext[0] === 'A' ? 'B' : 'A'}${ciphertext.slice(1)}`;
    const sent = { ...JSON.parse(pushBody(ciphertext)), msg: changed };
    expect(problemOf(JSON.stringify(sent), options)?.code).toBe('unauthorized');
  });

  test('is decrypted to nothing but its text', () => {
    expect(decrypt(encrypted('a'), aesKey)).toEqual({ ok: true, text: 'a' });
    expect(decrypt('', aesKey)).toEqual({ ok: false });
  });
});
