import { describe, expect, test } from 'vitest';
import { principalOf } from '../../../../functions/api/access/scopes.ts';
import { removalEndpoint } from '../../../../functions/api/messages/removal-endpoint.ts';
import type { Deletion } from '../../../../functions/table/deletion.ts';
import { call } from '../../../support/endpoints.ts';
import { principal } from '../../../support/principals.ts';

const admin = principalOf('token:admin', [{ kind: 'admin' }]);

const nowText = '2026-11-29T12:00:00.000000Z';

async function ask(query: string, who = admin, hasRoom = true) {
  const asked: Deletion[] = [];
  const endpoint = removalEndpoint(
    async (deletion) => {
      asked.push(deletion);
      return hasRoom ? { messages: 3, isComplete: true } : undefined;
    },
    () => Date.parse(nowText),
  );
  const answer = await call([endpoint], who, `/v1/messages?${query}`, { method: 'DELETE' });
  return { answer, asked };
}

test('all of a topic up to now goes by default', async () => {
  const { answer, asked } = await ask('topic=rooms/kitchen');
  expect(answer).toMatchObject({ status: 200, body: { messages: 3, isComplete: true } });
  expect(asked).toEqual([{ topic: 'rooms/kitchen', from: undefined, to: nowText }]);
});

test('a stretch goes where it is given, in UTC', async () => {
  const { asked } = await ask('topic=a&from=2026-11-29T10:00:00Z&to=2026-11-29T12:00:00%2B01:00');
  expect(asked).toEqual([
    { topic: 'a', from: '2026-11-29T10:00:00.000000Z', to: '2026-11-29T11:00:00.000000Z' },
  ]);
});

describe('nothing goes', () => {
  test.each([
    ['', 'topic'],
    ['topic=a/%23', 'topic'],
    ['topic=a&to=2026-11-29T12:00:01Z', 'to'],
    ['topic=a&from=2026-11-29T12:00:00Z', 'from'],
    ['topic=a&from=2026-11-29T11:00:00Z&to=2026-11-29T10:00:00Z', 'from'],
    ['topic=a&form=2026-11-29T11:00:00Z', 'form'],
  ])('for %s', async (query, field) => {
    const { answer, asked } = await ask(query);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field }] } });
    expect(asked).toEqual([]);
  });

  test('where there are too many deletions', async () => {
    const { answer } = await ask('topic=a', admin, false);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: 'topic' }] } });
  });

  test('for who may not do everything', async () => {
    const { answer, asked } = await ask('topic=a', principal('reader', { read: '#', delete: '#' }));
    expect(answer.status).toBe(403);
    expect(asked).toEqual([]);
  });
});
