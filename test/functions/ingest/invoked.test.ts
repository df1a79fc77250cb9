// Ingest as it is invoked: what the event may be, and what comes back.
import { expect, test } from 'vitest';
import { encodeEnvelope } from '../../../functions/contract/envelope.ts';
import { eventOfBatch } from '../../../functions/contract/invocation.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { createInvoked } from '../../../functions/ingest/invoked.ts';
import type { PutOptions } from '../../../functions/ingest/storing/message-store.ts';
import { message } from '../../support/messages.ts';

function ingest({ canWrite = true, fault = undefined as Error | undefined } = {}) {
  const puts: { messages: readonly Message[]; options: PutOptions }[] = [];
  const errors: Error[] = [];
  const invoked = createInvoked({
    store: {
      canWrite: async () => canWrite,
      async put(messages, options = {}) {
        if (fault !== undefined) throw fault;
        puts.push({ messages, options });
        return [];
      },
    },
    onError: (error) => errors.push(error),
  });
  const invoke = (batch: string, query = '') =>
    invoked(JSON.parse(eventOfBatch(Buffer.from(batch), query).toString()));
  return { puts, errors, invoke, invoked };
}

const batch = `[${encodeEnvelope(message({ id: 'a' }))}]`;

test('stores the batch of an event, as the query beside it asks', async () => {
  const { invoke, puts } = ingest();
  expect(await invoke(batch)).toEqual({ batchItemFailures: [] });
  expect(await invoke(batch, 'retentionDays=7&storage=packed')).toEqual({ batchItemFailures: [] });
  expect(puts).toMatchObject([
    { messages: [{ id: 'a' }], options: {} },
    { messages: [{ id: 'a' }], options: { retentionDays: 7, storage: 'packed' } },
  ]);
});

test.each([
  ['a query that nobody knows', '[]', 'days=7', {}, 404],
  ['a query twice', '[]', 'retentionDays=7&retentionDays=8', {}, 404],
  ['an envelope without an id', '[{}]', '', {}, 400],
  ['an empty batch while nothing can be stored', '[]', '', { canWrite: false }, 503],
  ['a fault of our own', batch, '', { fault: new Error('secret') }, 500],
])('%s is an HTTP answer', async (_, text, query, options, statusCode) => {
  const { invoke, errors } = ingest(options);
  const answer = await invoke(text, query);
  expect(answer).toMatchObject({ statusCode });
  expect(JSON.stringify(answer)).not.toContain('secret');
  expect(errors).toHaveLength(statusCode === 500 ? 1 : 0);
});

test('an event of another kind is not its', () => {
  const { invoked } = ingest();
  for (const event of [{ version: '2.0', rawPath: '/' }, null, 'text', { batch: 1, query: '' }])
    expect(invoked(event)).toBeUndefined();
});
