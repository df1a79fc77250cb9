// The request of a message: its id, and its size.
import { expect, test } from 'vitest';
import { requestBuilder } from '../../../bridge/handler/request.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { message } from '../../support/messages.ts';
import { requestFor, routeOf } from './routes.ts';

test('a request of one message has the same id at every try, another after a replay, and none of its characters', () => {
  const build = requestBuilder(routeOf({ format: 'raw' }));
  const one = message({ id: 'a\r\n' });
  const idOf = (given: Message) => requestFor({ request: build }, given).id;
  expect(idOf(one)).toMatch(/^msg_[A-Za-z0-9_-]{43}$/);
  expect(idOf({ ...one, possibleDuplicate: true })).toBe(idOf(one));
  expect(new Set([one, { ...one, source: 'x' }, { ...one, replayId: 'r' }].map(idOf)).size).toBe(3);
});

test('two devices that give their messages the same ids do not get the same id of a request', () => {
  const build = requestBuilder(routeOf({ format: 'raw' }));
  const one = message({ id: '1', topic: 'devices/a' });
  const by = (own: string): Message => ({
    ...one,
    properties: { userProperties: [['source', own]] },
  });
  const given = [one, { ...one, topic: 'devices/b' }, by('urn:a'), by('urn:b')];
  const ids = given.map((each) => requestFor({ request: build }, each).id);
  expect(new Set(ids).size).toBe(given.length);
});

test('what is larger than maxBatchBytes is not sent', () => {
  for (const format of ['cloudevents-batch', 'cloudevents', 'cloudevents-binary', 'raw'] as const) {
    const build = requestBuilder(routeOf({ format, maxBatchBytes: 1024 }));
    expect(build([message({ payload: Buffer.alloc(2000) })])).toMatchObject({
      kind: 'unsendable',
      reason: expect.stringMatching(/^it takes \d+ bytes, and a request 1024$/),
    });
  }
});
