import { expect, test } from 'vitest';
import { maskedHeaders, maskedUrl } from '../../../bridge/routes/masks.ts';

test('what shows who sends is masked, what says when and which is not', () => {
  const proof = {
    authorization: 'Bearer abc',
    'webhook-id': 'msg_1',
    'webhook-timestamp': '1',
    'webhook-signature': 'v1,abc v1,def',
    'x-amz-security-token': 'abc',
    'x-own': 'abc def',
  };
  expect(maskedHeaders({ 'content-length': 2, ...proof }, proof)).toEqual({
    'content-length': '2',
    authorization: 'Bearer ***',
    'webhook-id': 'msg_1',
    'webhook-timestamp': '1',
    'webhook-signature': 'v1,***',
    'x-amz-security-token': '***',
    'x-own': '***',
  });
});

test('of an answer, what its handler hands out to callers is masked', () => {
  const answer = { 'set-cookie': ['a=1', 'b=2'], 'x-api-key': 'k', date: 'now', absent: undefined };
  expect(maskedHeaders(answer, {})).toEqual({
    'set-cookie': '***',
    'x-api-key': '***',
    date: 'now',
  });
});

test.each([
  ['https://shop.example.com/mqtt/v1?x=1', 'https://shop.example.com/mqtt/v1?x=***'],
  [
    'https://hooks.example.com/services/T0001/B0002/abcdefgh12345678XYZ',
    'https://hooks.example.com/services/T0001/B0002/***',
  ],
  ['http://localhost:3000/a-long-name-of-a-path', 'http://localhost:3000/a-long-name-of-a-path'],
])('%s', (url, shown) => {
  expect(maskedUrl(new URL(url))).toBe(shown);
});
