import { describe, expect, test } from 'vitest';
import { encodeEnvelope, envelopeBatchType } from '../../../functions/contract/envelope.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { sign } from '../../../functions/contract/signature.ts';
import { createIngest } from '../../../functions/ingest/app.ts';
import type { Store } from '../../../functions/ingest/store.ts';
import { message } from '../../support/messages.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** A store in memory that fails what it is told to. */
class MemoryStore implements Store {
  readonly messages: Message[] = [];
  failing = new Set<string>();
  duplicates = 0;

  async put(messages: readonly Message[], onDuplicates?: (count: number) => void) {
    if (this.duplicates > 0) onDuplicates?.(this.duplicates);
    this.messages.push(...messages.filter(({ id }) => !this.failing.has(id)));
    return messages
      .filter(({ id }) => this.failing.has(id))
      .map(({ id }) => ({ itemIdentifier: id, reason: 'throttled', retryable: true }));
  }
}

async function post(
  body: string,
  { store = new MemoryStore(), headers = {} as Record<string, string> } = {},
) {
  const app = createIngest({ store, secret, maxBatch: 3, maxBodyBytes: 100_000 });
  const response = await app.request('/', {
    method: 'POST',
    body,
    headers: {
      'content-type': envelopeBatchType,
      ...sign(secret, 'msg_1', body, Date.now()),
      ...headers,
    },
  });
  return { status: response.status, body: await response.json(), store };
}

const batchOf = (...messages: Message[]) => `[${messages.map(encodeEnvelope).join(',')}]`;

test('stores a batch and answers that nothing failed', async () => {
  const messages = [message(), message()];
  const { status, body, store } = await post(batchOf(...messages));
  expect([status, body]).toEqual([200, { batchItemFailures: [] }]);
  expect(store.messages.map(({ id }) => id)).toEqual(messages.map(({ id }) => id));
});

test('names what the store could not take', async () => {
  const store = new MemoryStore();
  store.failing.add('lost');
  const { body } = await post(batchOf(message({ id: 'lost' }), message()), { store });
  expect(body).toEqual({
    batchItemFailures: [{ itemIdentifier: 'lost', reason: 'throttled', retryable: true }],
  });
});

test('says how many messages had been stored before', async () => {
  const store = new MemoryStore();
  store.duplicates = 2;
  const { body } = await post(batchOf(message(), message(), message()), { store });
  expect(body).toEqual({ batchItemFailures: [], duplicates: 2 });
});

test('a bad envelope fails alone, for good', async () => {
  const good = message();
  const bad = encodeEnvelope(message({ id: 'bad' })).replace(
    '"subject":"rooms/kitchen"',
    '"subject":"rooms/+"',
  );
  const { status, body, store } = await post(`[${encodeEnvelope(good)},${bad}]`);
  expect(status).toBe(200);
  expect(body).toMatchObject({ batchItemFailures: [{ itemIdentifier: 'bad', retryable: false }] });
  expect(store.messages).toHaveLength(1);
});

describe('refuses, and stores nothing of,', () => {
  const body = batchOf(message());
  test.each([
    ['an unsigned batch', body, { 'webhook-signature': '' }, 401, 'unauthorized'],
    [
      'a batch signed for another body',
      body,
      { ...sign(secret, 'msg_1', 'other', Date.now()) },
      401,
      'unauthorized',
    ],
    [
      'another media type',
      body,
      { 'content-type': 'application/json' },
      415,
      'unsupported-media-type',
    ],
    ['what is not JSON', '[{', {}, 400, 'invalid-json'],
    ['what is not an array', '{}', {}, 400, 'invalid-json'],
    ['an envelope without an id', '[{}]', {}, 400, 'invalid-request'],
    [
      'too many messages',
      batchOf(message(), message(), message(), message()),
      {},
      413,
      'body-too-large',
    ],
    [
      'too large a body',
      batchOf(message({ text: 'x'.repeat(100_001) })),
      {},
      413,
      'body-too-large',
    ],
  ])('%s', async (_, text, headers, status, code) => {
    const result = await post(text, { headers: headers as Record<string, string> });
    expect(result).toMatchObject({ status, body: { code, type: `urn:causeway:problem:${code}` } });
    expect(result.store.messages).toEqual([]);
  });
});
