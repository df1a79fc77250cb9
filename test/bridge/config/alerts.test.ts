import { expect, test } from 'vitest';
import { alertsSchema } from '../../../bridge/config/alerts.ts';

const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;

test.each([
  ['a user name and a password', 'https://user:password@alerts.example.com/'],
  ['a fragment', 'https://alerts.example.com/#fragment'],
  ['too long a path', `https://alerts.example.com/${'x'.repeat(10_000)}`],
  ['a placeholder', 'https://alerts.example.com/{topic}'],
  ['another protocol', 'ftp://alerts.example.com/'],
])('a URL with %s is refused when the config is read', (_, url) => {
  const fields = alertsSchema.safeParse({ url, secret }).error?.issues.map(({ path }) => path[0]);
  expect(fields).toContain('url');
});

test('any other URL is taken as it is', () => {
  const url = 'https://alerts.example.com/hook?team=blue';
  expect(alertsSchema.safeParse({ url, secret })).toMatchObject({ success: true, data: { url } });
});
