import { describe, expect, test } from 'vitest';
import type { Message } from '../../../../functions/contract/message.ts';
import { type OneNetPushOptions, parsePush } from '../../../../functions/ingest/push/onenet.ts';
import { isSigned } from '../../../../functions/ingest/push/onenet-signature.ts';
import {
  aesKey,
  encrypted,
  olderAesKey,
  olderBody,
  olderEncryptedBody,
  properties,
  pushBody,
  pushToken,
} from '../../../support/onenet-push.ts';

const nowMs = Date.parse('2026-11-23T08:00:00Z');

function parsed(body: string, options: Partial<OneNetPushOptions> = {}): Message[] {
  const pushed = parsePush(body, { token: pushToken, ...options }, nowMs);
  if (!pushed.ok) throw new Error(JSON.stringify(pushed.problem));
  return pushed.messages;
}

const text = (message: Message | undefined) => Buffer.from(message?.payload ?? '').toString();

describe('published signatures', () => {
  // Known answers of the tests of github.com/ricnsmart/util, the first with a + that a query made a space.
  test.each([
    ['ricnsmart', '5xp7vzm3fN', 'hello', 'd/ncDg jrcW259dHOZByyw=='],
    ['ricn', 'rp/BxZWCeOic', 'world', 'vikQgk0OCjj6RIiIIbLtxA=='],
  ])('%s, %s, %s', (token, nonce, message, signature) => {
    expect(isSigned(token, { nonce, text: message, signature })).toBe(true);
    expect(isSigned(`${token}x`, { nonce, text: message, signature })).toBe(false);
    expect(isSigned(token, { nonce: `${nonce}x`, text: message, signature })).toBe(false);
    expect(isSigned(token, { nonce, text: `${message}x`, signature })).toBe(false);
    expect(isSigned(token, { nonce, text: message, signature: signature.slice(0, -4) })).toBe(
      false,
    );
    expect(isSigned(token, { nonce, text: message, signature: '' })).toBe(false);
  });
});

describe('what is pushed becomes', () => {
  test('properties on the topic that the device published them to, as it published them', () => {
    const sent = properties(nowMs - 1500);
    const [message, ...others] = parsed(pushBody(sent));
    expect(others).toEqual([]);
    expect(message).toMatchObject({
      topic: '$sys/C6z4Zk012B/test01/thing/property/post',
      source: 'onenet:push/C6z4Zk012B',
      time: '2026-11-23T07:59:58.500000Z',
      qos: 1,
      retain: false,
    });
    expect(text(message)).toBe(JSON.stringify(sent.data));
    expect(message?.possibleDuplicate).toBeUndefined();
  });

  test('events, on and off, and answers, each on a topic of its own', () => {
    const event = { ...properties(nowMs), notifyType: 'event' };
    const device = { productId: 'p1', deviceName: 'd1' };
    const status = {
      ...device,
      messageType: 'lifeCycle',
      data: { status: 'online', time: nowMs - 1 },
    };
    const reply = { ...device, messageType: 'reply', callType: 'sync', request: { id: '1' } };
    const messages = parsed(pushBody([event, status, reply]));
    expect(messages.map(({ topic }) => topic)).toEqual([
      '$sys/C6z4Zk012B/test01/thing/event/post',
      '$sys/p1/d1/push/lifeCycle',
      '$sys/p1/d1/push/reply',
    ]);
    expect(messages[1]?.time).toBe('2026-11-23T07:59:59.999000Z');
    expect(text(messages[1])).toBe(JSON.stringify(status));
  });

  test("the older platform's data points, on and off, byte for byte", () => {
    const point = `{"at":${nowMs},"imei":"8619","type":1,"ds_id":"3300_0_5700","value":-1.0e2,"dev_id":523444202}`;
    const status = `{ "type":2, "dev_id":1, "status":1, "login_type":7, "at":${nowMs} }`;
    const messages = parsed(olderBody(`[${point}, ${status}]`), { productId: '123123' });
    expect(messages.map(({ topic }) => topic)).toEqual([
      '$sys/123123/523444202/push/dataPoint',
      '$sys/123123/1/push/lifeCycle',
    ]);
    expect(messages.map(text)).toEqual([point, status]);
    expect(parsed(olderBody(point))[0]?.topic).toBe('$sys/older/523444202/push/dataPoint');
  });

  test('the same, encrypted, by either platform', () => {
    const sent = JSON.stringify(properties(nowMs));
    const plain = parsed(pushBody(sent));
    expect(parsed(pushBody(encrypted(sent)), { aesKey })).toEqual(plain);
    expect(parsed(olderEncryptedBody(sent), { aesKey: olderAesKey })).toEqual(plain);
    // A user who has set a key may still push in plain mode: it is signed all the same.
    expect(parsed(pushBody(sent), { aesKey })).toEqual(plain);
  });
});

describe('pushed again, it is the same message', () => {
  test('with the time that it tells, under the same key', () => {
    const sent = properties(nowMs - 60_000);
    const later = parsePush(pushBody(sent, 'another1'), { token: pushToken }, nowMs + 3_600_000);
    expect(later).toMatchObject({ ok: true, messages: parsed(pushBody(sent)) });
  });

  test.each([
    ['no time', { ...properties(0), data: { params: {} } }],
    ['a time of 1970', properties(1)],
    ['a time before the shortest retention', properties(nowMs - 13 * 3_600_000)],
    ['a time of tomorrow', properties(nowMs + 86_400_000)],
    ['a time that is text', { ...properties(0), data: { time: '2026-11-23' } }],
    ['a time that no date has', properties(9e15)],
    ['a time with a fraction', properties(nowMs + 0.5)],
  ])('with %s it gets that of receipt, and is looked for by its id', (_, sent) => {
    const [message] = parsed(pushBody(sent));
    expect(message).toMatchObject({ time: '2026-11-23T08:00:00.000000Z', possibleDuplicate: true });
    expect(message?.properties?.userProperties).toEqual([['id', message?.id]]);
  });

  test('what differs in anything has an id of its own', () => {
    const sent = properties(nowMs);
    const others = [
      { ...sent, deviceName: 'test02' },
      { ...sent, productId: 'p2' },
      properties(nowMs, 22),
      properties(nowMs - 1),
    ];
    const ids = [sent, ...others].map((one) => parsed(pushBody(one))[0]?.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
