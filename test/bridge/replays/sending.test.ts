// What a handler's verdict means for messages that are replayed.
import { expect, test } from 'vitest';

import type {
  DeadLetterFault,
  ReplayVerdict,
} from '../../../bridge/dead-letters/dead-letter-replay.ts';
import { deadLetterSender, messageSender } from '../../../bridge/replays/sending.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { problem } from '../../../functions/contract/problem.ts';
import type { Refusal } from '../../../functions/table/replay.ts';
import { message } from '../../support/messages.ts';

/** To a handler that gets nothing from others. */
const senderTo = (post: (messages: readonly Message[]) => Promise<ReplayVerdict>) =>
  messageSender({ post, othersDelivered: () => 0 });

const stored: ReplayVerdict = { kind: 'answered', failures: new Map(), duplicates: 0 };

test('a rejected batch is halved until the culprits stand alone', async () => {
  const messages = Array.from({ length: 9 }, (_, index) => message({ id: `m${index}` }));
  const taken: string[] = [];
  const send = senderTo(async (some) => {
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
  const send = senderTo(async () => ({
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
  const send = senderTo(async () => ({
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
  const send = senderTo(async (some) => {
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

const held = { kind: 'hold', reason: 'status 500', overloaded: true, broken: false } as const;
const letter = { id: 'x', topic: 'a' };

test('one that the handler fails on is found and refused, as long as others are delivered', async () => {
  const messages = Array.from({ length: 8 }, (_, index) => message({ id: `m${index}` }));
  const taken: string[] = [];
  let asked = 0;
  let others = 0;
  let areOthersDelivered = true;
  const send = messageSender({
    async post(some) {
      if (areOthersDelivered) others++;
      if (some.some(({ id }) => id === 'm5')) {
        if (some.length === 1) asked++;
        return { ...held, suspicious: true };
      }
      taken.push(...some.map(({ id }) => id));
      return stored;
    },
    othersDelivered: () => others,
  });
  const rounds = async (count: number, left: readonly Message[]) => {
    let again = left;
    const refusals: Refusal[] = [];
    for (let round = 0; round < count && again.length > 0; round++) {
      const sent = await send(again);
      refusals.push(...sent.refusals);
      again = sent.again;
    }
    return { again, refusals };
  };
  // Nothing else is delivered: it may be an outage, however long.
  areOthersDelivered = false;
  expect(await rounds(50, messages)).toEqual({ again: messages, refusals: [] });
  expect(asked).toBe(0);

  areOthersDelivered = true;
  expect(await rounds(50, messages)).toEqual({
    again: [],
    refusals: [{ id: 'm5', topic: 'rooms/kitchen', reason: 'status 500' }],
  });
  expect(asked).toBe(10);
  expect(taken).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm6', 'm7']);
});

test.each<[string, DeadLetterFault | undefined, object]>([
  ['taken', undefined, { delivered: 1, refusals: [], again: [] }],
  [
    'gone meanwhile',
    { problem: problem('not-found'), suspicious: false },
    { delivered: 0, refusals: [], again: [] },
  ],
  [
    'refused again',
    { problem: problem('handler-refused', 'status 422'), suspicious: false },
    { delivered: 0, refusals: [{ ...letter, reason: 'status 422' }], again: [] },
  ],
  [
    'of a route that is gone',
    { problem: problem('route-unknown', 'route old'), suspicious: false },
    { delivered: 0, refusals: [{ ...letter, reason: 'route old' }], again: [] },
  ],
  [
    'while the handler is away',
    { problem: problem('handler-unavailable', 'status 500'), suspicious: false },
    { delivered: 0, refusals: [], again: [letter], waiting: 'status 500', outage: true },
  ],
  [
    'what its handler fails on',
    { problem: problem('handler-unavailable', 'status 500'), suspicious: true },
    { delivered: 0, refusals: [], again: [letter], waiting: 'status 500', outage: false },
  ],
])('a dead letter that is %s', async (_, answer, expected) => {
  expect(await deadLetterSender(async () => answer)([letter])).toMatchObject(expected);
});
