// What a handler's verdict means for messages that are replayed.
import { expect, test } from 'vitest';
import type { Verdict } from '../../../bridge/handler/verdict.ts';
import { letterSender, messageSender } from '../../../bridge/replays/sending.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { type Problem, problem } from '../../../functions/contract/problem.ts';
import { message } from '../../support/messages.ts';

const stored: Verdict = { kind: 'answered', failures: new Map(), duplicates: 0 };

test('a rejected batch is halved until the culprits stand alone', async () => {
  const messages = Array.from({ length: 9 }, (_, index) => message({ id: `m${index}` }));
  const taken: string[] = [];
  const send = messageSender(async (some: readonly Message[]) => {
    if (some.some(({ id }) => id === 'm2' || id === 'm7'))
      return { kind: 'rejected', reason: 'status 422' };
    taken.push(...some.map(({ id }) => id));
    return stored;
  });
  expect(await send(messages)).toMatchObject({
    delivered: 7,
    again: [],
    refusals: [
      { id: 'm2', topic: 'rooms/kitchen', reason: 'status 422' },
      { id: 'm7', reason: 'status 422' },
    ],
  });
  expect(taken).toEqual(['m0', 'm1', 'm3', 'm4', 'm5', 'm6', 'm8']);
});

test('failures in the answer are final, or come again', async () => {
  const [a, b, c] = [message({ id: 'a' }), message({ id: 'b' }), message({ id: 'c' })];
  const send = messageSender(async () => ({
    kind: 'answered',
    duplicates: 0,
    failures: new Map([
      ['a', { itemIdentifier: 'a', reason: 'bad', retryable: false }],
      ['c', { itemIdentifier: 'c', reason: 'busy' }],
    ]),
  }));
  expect(await send([a, b, c])).toEqual({
    delivered: 1,
    refusals: [{ id: 'a', topic: a.topic, reason: 'bad' }],
    again: [c],
    waiting: 'busy',
  });
});

test('a handler that is away gets all of them again, after the time that it asked for', async () => {
  const messages = [message(), message()];
  const send = messageSender(async () => ({
    kind: 'hold',
    reason: 'status 503',
    overloaded: true,
    broken: false,
    retryAfterMs: 7000,
  }));
  expect(await send(messages)).toMatchObject({
    delivered: 0,
    again: messages,
    waiting: 'status 503',
    outage: true,
    retryAfterMs: 7000,
  });
});

test('where the handler goes away between the halves, the second one keeps its turn', async () => {
  const messages = Array.from({ length: 8 }, (_, index) => message({ id: `m${index}` }));
  const asked: number[] = [];
  const send = messageSender(async (some) => {
    asked.push(some.length);
    if (some.length > 2) return { kind: 'rejected', reason: 'status 422' };
    if (some[0]?.id === 'm0') return stored;
    return {
      kind: 'hold',
      reason: 'status 503',
      overloaded: true,
      broken: false,
      retryAfterMs: 7000,
    };
  });
  expect(await send(messages)).toEqual({
    delivered: 2,
    refusals: [],
    again: messages.slice(2),
    waiting: 'status 503',
    outage: true,
    retryAfterMs: 7000,
  });
  expect(asked).toEqual([8, 4, 2, 2]);
});

const letter = { id: 'x', topic: 'a' };

test.each<[string, Problem | undefined, object]>([
  ['taken', undefined, { delivered: 1, refusals: [], again: [] }],
  ['gone meanwhile', problem('not-found'), { delivered: 0, refusals: [], again: [] }],
  [
    'refused again',
    problem('handler-refused', 'status 422'),
    { delivered: 0, refusals: [{ ...letter, reason: 'status 422' }], again: [] },
  ],
  [
    'of a route that is gone',
    problem('route-unknown', 'route old'),
    { delivered: 0, refusals: [{ ...letter, reason: 'route old' }], again: [] },
  ],
  [
    'while the handler is away',
    problem('handler-unavailable', 'status 500'),
    { delivered: 0, refusals: [], again: [letter], waiting: 'status 500', outage: true },
  ],
])('a dead letter that is %s', async (_, answer, expected) => {
  expect(await letterSender(async () => answer)([letter])).toMatchObject(expected);
});
