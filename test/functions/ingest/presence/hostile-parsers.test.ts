// Hostile presence messages: client ids, payloads and reasons that no broker should send.
import { describe, expect, test } from 'vitest';
import { parseAwsIot } from '../../../../functions/ingest/presence/aws-iot.ts';
import { parseEmbedded } from '../../../../functions/ingest/presence/embedded.ts';
import { parseEmqx } from '../../../../functions/ingest/presence/emqx.ts';
import type { ParsedPresence } from '../../../../functions/ingest/presence/facts.ts';

type Parse = (topic: string, payload: Uint8Array) => ParsedPresence;

const json = (value: unknown) => Buffer.from(JSON.stringify(value));

function eventOf(parsed: ParsedPresence) {
  if (parsed.kind !== 'event') throw new Error(JSON.stringify(parsed));
  return parsed.event;
}

describe.each<[string, Parse, string, object]>([
  [
    'embedded',
    parseEmbedded,
    '$events/client/disconnected',
    { epoch: 1, time: '2026-01-01T00:00:00Z' },
  ],
  [
    'aws-iot',
    parseAwsIot,
    '$aws/events/presence/disconnected/',
    { timestamp: 1, versionNumber: 1 },
  ],
  ['emqx', parseEmqx, '$event/client_disconnected', { disconnected_at: 1 }],
])('%s', (name, parse, topic, facts) => {
  const topicOf = (id: unknown) => (name === 'aws-iot' ? `${topic}${id}` : topic);
  const parsed = (id: unknown, more: object = {}) => {
    return parse(topicOf(id), json({ ...facts, ...more, clientId: id, clientid: id }));
  };

  test.each([[''], ['a\u0000b'], ['\ud800'], ['x'.repeat(65_536)], [7], [null], [['a']], [{}]])(
    'the client id %j is none',
    (id) => expect(parsed(id).kind).not.toBe('event'),
  );

  test.each(['+', '#', '$x', 'a/b', 'ü', '__proto__', 'x'.repeat(65_535)])(
    'the client id %s is one',
    (id) => expect(eventOf(parsed(id)).clientId).toBe(id),
  );

  test.each(['', '{', '[]', 'null', '"x"', '1e999', '[['.repeat(50_000), '\u00ff'])(
    'the payload %s is none',
    (text) => expect(parse(topicOf('x'), Buffer.from(text, 'latin1')).kind).toBe('fault'),
  );

  test('what is too large is not parsed', () => {
    const payload = Buffer.from(
      JSON.stringify({ ...facts, clientId: 'x', clientid: 'x', pad: 'x'.repeat(600_000) }),
    );
    expect(parse(topicOf('x'), payload)).toMatchObject({
      kind: 'fault',
      reason: expect.stringMatching(/bytes/),
    });
  });

  test('a reason is cut, and left out where it is none', () => {
    const long = { reason: '\ud83d\ude00'.repeat(300), disconnectReason: 'x'.repeat(300) };
    const { reason = '' } = eventOf(parsed('x', long));
    expect([reason.length, reason.isWellFormed()]).toEqual([200, true]);
    const none = { reason: { no: 'text' }, disconnectReason: 7 };
    expect(eventOf(parsed('x', none))).not.toHaveProperty('reason');
  });
});
