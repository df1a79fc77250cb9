import { expect, test } from 'vitest';
import * as z from 'zod';
import {
  clientIdIn,
  type PresenceFeed,
  presenceFeedOf,
  presenceQuery,
  presenceQueryFields,
} from '../../../functions/contract/presence-feed.ts';
import { mqttText } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';

const schema = z.strictObject(presenceQueryFields);

/** What ingest makes of a query, as it stands in a URL. */
const read = (query: string) =>
  presenceFeedOf(schema.parse(Object.fromEntries(new URL(`http://h/?${query}`).searchParams)));

const payload = mqttText.filter((text) => text !== '');
const feeds: fc.Arbitrary<PresenceFeed> = fc.oneof(
  fc.constantFrom('embedded', 'aws-iot', 'emqx').map((source) => ({ source }) as PresenceFeed),
  fc
    .tuple(payload, payload)
    .filter(([online, offline]) => online !== offline)
    .map(([online, offline]) => ({
      source: 'last-will' as const,
      filter: 'a b/+/ü&=%+'.slice(0, -1),
      online,
      offline,
    })),
);

test('ingest reads what infra wrote, and no brace is in it, in any writing', () => {
  fc.assert(
    fc.property(feeds, (feed) => {
      const query = presenceQuery(feed);
      expect(read(query)).toEqual({ ok: true, feed });
      expect(query).not.toMatch(/[{}\s]|%7[bd]/i);
    }),
    { examples: [[{ source: 'last-will', filter: '+', online: '{"on":1}', offline: '%7b 100%' }]] },
  );
});

test('a URL without it stores messages', () => {
  expect(read('')).toEqual({ ok: true, feed: undefined });
});

test.each([
  ['presence=last-will', ['filter', 'online', 'offline', 'offline']],
  ['presence=last-will&filter=a/b&online=1&offline=0', ['filter']],
  ['presence=last-will&filter=%2B/%2B&online=1&offline=0', ['filter']],
  ['presence=last-will&filter=%2B/%23&online=1&offline=0', ['filter']],
  ['presence=last-will&filter=a%2B/%2B&online=1&offline=0', ['filter']],
  ['presence=last-will&filter=a/%2B&online=1&offline=1', ['offline']],
  ['presence=last-will&filter=a/%2B&online=%25&offline=1', ['online']],
  [`presence=last-will&filter=a/%2B&online=${'x'.repeat(1001)}&offline=1`, ['online']],
  ['presence=emqx&filter=a/%2B', ['filter']],
  ['online=1', ['online']],
])('%s is a broken deployment', (query, fields) => {
  const parsed = read(query);
  expect(parsed.ok ? [] : parsed.faults.map(({ field }) => field)).toEqual(fields);
});

test.each([
  ['+', 'lamp', 'lamp'],
  ['devices/+/status', 'devices/lamp/status', 'lamp'],
  ['devices/+', 'devices/', ''],
  ['devices/+/status', 'devices/lamp/state', undefined],
  ['devices/+', 'devices/a/b', undefined],
])('%s finds in %s the client %s', (filter, topic, clientId) => {
  expect(clientIdIn(topic, filter)).toBe(clientId);
});
