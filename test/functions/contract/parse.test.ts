// Faults of input: each names the field and says in words what it must be.
import { expect, test } from 'vitest';
import * as z from 'zod';
import { parseWith } from '../../../functions/contract/parse.ts';

const schema = z.strictObject({
  name: z.string().min(1).max(3),
  count: z.int().min(5).max(9),
  share: z.number().gt(0).lt(1),
  kind: z.enum(['a', 'b', 'c']),
  on: z.boolean(),
  list: z.array(z.string()).min(1).max(2),
  id: z.uuid(),
  at: z.iso.datetime(),
  headers: z.record(z.string().regex(/^[a-z]+$/, 'must be small letters'), z.string()),
  own: z.string().regex(/^x/, 'must begin with x'),
});

const right = {
  name: 'abc',
  count: 5,
  share: 0.5,
  kind: 'a',
  on: true,
  list: ['x'],
  id: '019a2b5e-7d52-7c1a-9a51-8d3c4f5e6a7b',
  at: '2026-01-31T12:00:00Z',
  headers: { a: 'b' },
  own: 'x',
};

test('what is right is taken', () => {
  expect(parseWith(schema, right)).toEqual({ ok: true, value: right });
});

test.each([
  [{ name: '' }, 'name', 'must have at least 1 character'],
  [{ name: 'abcd' }, 'name', 'must have at most 3 characters'],
  [{ name: undefined }, 'name', 'is required'],
  [{ name: 7 }, 'name', 'must be a string'],
  [{ count: 4 }, 'count', 'must be at least 5'],
  [{ count: 10 }, 'count', 'must be at most 9'],
  [{ count: 5.5 }, 'count', 'must be a whole number'],
  [{ share: 0 }, 'share', 'must be more than 0'],
  [{ share: 1 }, 'share', 'must be less than 1'],
  [{ kind: 'd' }, 'kind', 'must be a, b or c'],
  [{ on: 'yes' }, 'on', 'must be true or false'],
  [{ list: [] }, 'list', 'must have at least 1 entry'],
  [{ list: ['a', 'b', 'c'] }, 'list', 'must have at most 2 entries'],
  [{ list: {} }, 'list', 'must be an array'],
  [{ list: [1] }, 'list.0', 'must be a string'],
  [{ id: 'x' }, 'id', 'must be a UUID'],
  [{ at: 'today' }, 'at', 'must be a time such as 2026-01-31T12:00:00Z'],
  [{ headers: { A: 'b' } }, 'headers.A', 'must be small letters'],
  [{ own: 'y' }, 'own', 'must begin with x'],
  [{ more: 1 }, 'more', 'is not a known field'],
])('%j: %s %s', (change, field, rule) => {
  expect(parseWith(schema, { ...right, ...change })).toEqual({
    ok: false,
    faults: [{ field, rule }],
  });
});

test('all are told at once', () => {
  const parsed = parseWith(schema, {});
  expect(parsed.ok ? [] : parsed.faults.map(({ rule }) => rule)).toEqual(
    Object.keys(right).map((name) => (name === 'kind' ? 'must be a, b or c' : 'is required')),
  );
});
