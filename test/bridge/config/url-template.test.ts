// URLs with levels of a topic: what comes out leads where the template says, or there is none.

import { expect, test } from 'vitest';
import { placeholderFault, urlTemplate } from '../../../bridge/config/url-template.ts';
import { startConsumer } from '../../support/consumer.ts';
import { legalTopic, message } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';
import { openSink, routeFaults, send } from '../handler/routes.ts';

const template = 'https://example.com/devices/{1}/telemetry?room={2}';

function filled(topic: string, text = template): string {
  const result = urlTemplate(text)(topic);
  return result.kind === 'url' ? result.url.href : result.reason;
}

const base = 'https://example.com/devices/';
test.each([
  ['d1/kitchen', `${base}d1/telemetry?room=kitchen`],
  ['d 1/küche', `${base}d%201/telemetry?room=k%C3%BCche`],
  ['%2F/%2e%2e', `${base}%252F/telemetry?room=%252e%252e`],
  ['%2e%2e/x', `${base}%252e%252e/telemetry?room=x`],
  ['a\\b/a?b#c&d=e', `${base}a%5Cb/telemetry?room=a%3Fb%23c%26d%3De`],
  ["!'()*/!'()*", `${base}%21%27%28%29%2A/telemetry?room=%21%27%28%29%2A`],
  ['\u0000\r\n\t/\u0000', `${base}%00%0D%0A%09/telemetry?room=%00`],
  ['{1}/{topic}', `${base}%7B1%7D/telemetry?room=%7Btopic%7D`],
  ['@evil.example/:8080', `${base}%40evil.example/telemetry?room=%3A8080`],
  ['.a/..', `${base}.a/telemetry?room=..`],
  ['...', 'its topic has no level 2 for the URL'],
  ['.../x', `${base}.../telemetry?room=x`],
  ['d/', `${base}d/telemetry?room=`],
  ['/kitchen', 'an empty level of its topic would be an empty segment of the path'],
  ['./kitchen', 'a level of its topic is . or .., which would lead to another path'],
  ['../kitchen', 'a level of its topic is . or .., which would lead to another path'],
  ['d1', 'its topic has no level 2 for the URL'],
  ['\ud800/x', 'its topic is not well-formed Unicode'],
])('%j', (topic, url) => {
  expect(filled(topic)).toBe(url);
});

test.each([
  ['the whole topic, as one segment', 'https://x/{topic}', 'a/../b', 'https://x/a%2F..%2Fb'],
  ['a whole topic that is ..', 'https://x/{topic}', '..', /\. or \.\./],
  ['dots that meet', 'https://x/{1}{2}/y', './.', /\. or \.\./],
  ['dots beside the template’s', 'https://x/.{1}/y', '.', /\. or \.\./],
  ['encoded dots of the template', 'https://x/%2e{1}/y', '.', /\. or \.\./],
  ['an empty level beside a text', 'https://x/d-{1}', '/b', 'https://x/d-'],
  ['an empty segment of the template’s own', 'https://x//{1}', 'a', 'https://x//a'],
  ['a level far behind', 'https://x/{100}', 'a/b', 'its topic has no level 100 for the URL'],
  ['a query alone', 'https://x?t={topic}', 'a/b', 'https://x/?t=a%2Fb'],
  ['no placeholder', 'https://x/a', 'b', 'https://x/a'],
])('%s', (_, text, topic, url) => {
  expect(filled(topic, text)).toEqual(typeof url === 'string' ? url : expect.stringMatching(url));
});

test('a level of 64 KB', () => {
  expect(filled(`${'x'.repeat(65_000)}/y`)).toBe('the URL would take 65026 bytes, above 8000');
});

test('whatever the topic, host and other segments stay, and segments and values give it back', () => {
  fc.assert(
    fc.property(fc.oneof(legalTopic, fc.string({ unit: 'binary', maxLength: 30 })), (topic) => {
      const result = urlTemplate('https://example.com/a/{1}/b?t={topic}&z=1')(topic);
      if (result.kind === 'impossible') {
        expect(['', '.', '..']).toContain(topic.split('/')[0]);
        return;
      }
      const { host, pathname, searchParams, hash } = result.url;
      const [, a, level = '', b, ...more] = pathname.split('/');
      expect([host, a, b, more, hash]).toEqual(['example.com', 'a', 'b', [], '']);
      expect(decodeURIComponent(level)).toBe(topic.split('/')[0]);
      expect([searchParams.get('t'), searchParams.get('z')]).toEqual([topic, '1']);
    }),
  );
});

test('on the wire it is what was checked', async () => {
  const consumer = await startConsumer();
  const url = `${consumer.url}devices/{1}/telemetry?room={2}`;
  const sink = await openSink({ url, format: 'raw', method: 'PUT' });
  await send(sink, message({ topic: 'd%2F1/küche' }));
  expect(consumer.consumed).toMatchObject([
    { method: 'PUT', target: '/devices/d%252F1/telemetry?room=k%C3%BCche' },
  ]);
});

test.each([
  'https://{1}.example.com/',
  'https://example.com:{1}/',
  'https://{1}/',
  'https://{1}?x',
  'https:{1}.example.com/x/y',
  'https:/{1}/x',
  'https:///{1}/x',
  '{1}://example.com/',
  'https://user:{1}@example.com/',
  'https://example.com/#{1}',
  'https://example.com\\{1}',
  'https://exam\tple.com/{1}',
  'https://example.com/{0}',
  'https://example.com/{1000}',
  'https://example.com/{topics}',
  'https://example.com/{1',
  'https://example.com/}',
  'https://example.com/%7B1%7D',
  'https://example.com/{}',
  'https://example.com/{1:int}',
])('no config: %s', (url) => {
  expect(routeFaults({ url, format: 'raw' })).toEqual([expect.stringMatching(/^url: /)]);
});

test('a batch has no topic of its own', () => {
  expect(routeFaults({ url: template })).toEqual([
    'url: needs a format of one message a request, to have levels of its topic',
  ]);
  expect(placeholderFault(template)).toBeUndefined();
});
