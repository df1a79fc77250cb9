// What the URL of a presence route asks of ingest.
import { describe, expect, test } from 'vitest';
import { encodeEnvelope, envelopeBatchType } from '../../../../functions/contract/envelope.ts';
import { createIngest } from '../../../../functions/ingest/ingest.ts';
import type { PutOptions } from '../../../../functions/ingest/storing/message-store.ts';
import { message } from '../../../support/messages.ts';

async function post(query: string) {
  const seen: PutOptions[] = [];
  const app = createIngest({
    store: {
      async put(_, options = {}) {
        seen.push(options);
        return [];
      },
      canWrite: async () => true,
    },
  });
  const response = await app.request(`/${query}`, {
    method: 'POST',
    headers: { 'content-type': envelopeBatchType },
    body: `[${encodeEnvelope(message())}]`,
  });
  return { status: response.status, body: await response.json(), seen };
}

test.each([
  ['', undefined],
  ['?presence=embedded', { source: 'embedded' }],
  ['?presence=aws-iot&retentionDays=3', { source: 'aws-iot' }],
  [
    '?presence=last-will&filter=d%2F%2B&online=1&offline=%257B%257D',
    { source: 'last-will', filter: 'd/+', online: '1', offline: '{}' },
  ],
])('%s', async (query, presence) => {
  const { status, seen } = await post(query);
  expect([status, seen[0]?.presence]).toEqual([200, presence]);
});

describe('a route with a wrong URL is a broken deployment: the bridge holds', () => {
  test.each([
    ['?presence=', 'presence'],
    ['?presence=mosquitto', 'presence'],
    ['?presence=embedded&presence=emqx', 'presence'],
    ['?presence=last-will', 'filter'],
    ['?presence=emqx&online=1', 'online'],
    ['?filter=d/%2B', 'filter'],
    [`?presence=last-will&filter=${'x'.repeat(9001)}`, 'filter'],
  ])('%s', async (query, field) => {
    const { status, body, seen } = await post(query);
    expect([status, seen]).toEqual([404, []]);
    expect(body).toMatchObject({
      errors: expect.arrayContaining([expect.objectContaining({ field })]),
    });
  });
});
