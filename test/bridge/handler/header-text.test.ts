// What a device says in headers: it stays in its own, and within bounds.

import { expect, test } from 'vitest';
import { requestBuilder } from '../../../bridge/handler/request.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { message } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';
import { requestFor, routeOf } from './routes.ts';

test('no attribute breaks out of its header, whatever a device says', () => {
  const nasty = fc
    .array(
      fc.constantFrom(
        '\r\n',
        '\n',
        '\r',
        '\0',
        'x-evil: 1',
        ' ',
        '%0d%0a',
        '"',
        'é',
        '😀',
        '\u0085',
        '\u2028',
        ',',
        ';',
        '=',
        '&',
      ),
      { minLength: 1, maxLength: 12 },
    )
    .map((parts) => parts.join(''));
  for (const format of ['raw', 'cloudevents-binary'] as const) {
    const build = requestBuilder(routeOf({ format }));
    fc.assert(
      fc.property(nasty, nasty, nasty, (id, topic, text) => {
        const properties = {
          contentType: text,
          responseTopic: text,
          userProperties: [[text, text]] as const,
          correlationData: Buffer.from(text),
        };
        const { headers } = requestFor({ request: build }, message({ id, topic, properties }));
        for (const [name, value] of Object.entries(headers)) {
          expect(name).toMatch(/^[a-z-]+$/);
          expect(value).toMatch(/^[\x20-\x7e]*$/);
          // Of what is encoded, no space is left; only our own content types have one.
          if (name !== 'content-type') expect(value).not.toMatch(/[ "]/);
        }
      }),
    );
  }
});

/** Bytes of the headers that a message makes. */
const attributeBytes = (headers: object) =>
  Object.entries(headers)
    .filter(([name]) => /^(ce|mqtt)-/.test(name))
    .flat()
    .join('').length;

test('headers are bounded: what is optional is left out and named, what is not makes it unsendable', () => {
  const large: Partial<Message> = {
    properties: {
      responseTopic: 'r'.repeat(65_000),
      correlationData: Buffer.alloc(65_000),
      userProperties: Array.from({ length: 2000 }, (_, index) => [`name ${index}`, 'é'] as const),
      contentType: 'text/csv',
    },
  };
  const binary = requestBuilder(routeOf({ format: 'cloudevents-binary' }));
  const raw = requestBuilder(routeOf({ format: 'raw' }));
  const ce = requestFor({ request: binary }, message(large)).headers;
  expect(ce['ce-omitted']).toBe('responsetopic,correlationdata,userproperties');
  expect(ce['ce-contenttype']).toBe('text/csv');
  const mqtt = requestFor({ request: raw }, message(large)).headers;
  expect(mqtt['mqtt-omitted']).toBe('response-topic,correlation-data,user-properties');
  // Encoded, a character takes up to three times its bytes.
  const swelling = { properties: { responseTopic: 'é'.repeat(2000) } };
  expect(requestFor({ request: raw }, message(swelling)).headers['mqtt-omitted']).toBe(
    'response-topic',
  );
  fc.assert(
    fc.property(fc.nat(7000), fc.nat(7000), (topicLength, length) => {
      const one = message({
        topic: 'é'.repeat(topicLength + 1),
        properties: { responseTopic: 'x'.repeat(length) },
      });
      for (const build of [binary, raw]) {
        const built = build([one]);
        if (built.kind === 'request')
          expect(attributeBytes(built.request.headers)).toBeLessThanOrEqual(6144);
        else
          expect(built.reason).toMatch(
            /^its (subject|topic|id|time|qos|retain|message-id) does not fit into headers of 6144 bytes$/,
          );
      }
    }),
  );
});
