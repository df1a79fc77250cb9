import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { messageJson } from '../../../functions/api/representation.ts';
import { payloadBase64Of, publishRequestSchema } from '../../../functions/contract/command.ts';
import { anyMessage, message } from '../../support/messages.ts';

describe('messageJson', () => {
  test.each([
    ['{"a": 1}', '"payload":{"a": 1}'],
    ['9007199254740993', '"payload":9007199254740993'],
    ['1e400', '"payload":1e400'],
    ['{"a":1,"a":2}', '"payload":{"a":1,"a":2}'],
    ['"text"', '"payload":"\\"text\\""'],
    ['hello', '"payload":"hello"'],
    ['', '"payload":""'],
    ['{', '"payload":"{"'],
  ])('shows %s exactly', (text, member) => {
    expect(messageJson(message({ text }))).toContain(member);
  });

  test('shows bytes that are no text as base64', () => {
    expect(JSON.parse(messageJson(message({ payload: Buffer.from([0xff]) })))).toMatchObject({
      payloadBase64: '/w==',
    });
  });

  test('what it shows can be published again and sends the same', () => {
    fc.assert(
      fc.property(anyMessage, (given) => {
        const shown = JSON.parse(messageJson(given));
        // White space and numbers beyond doubles survive in the text, but not in a client's JSON.parse.
        const compact = Buffer.from(given.payload).toString();
        fc.pre(
          ['string', 'undefined'].includes(typeof shown.payload) ||
            JSON.stringify(shown.payload) === compact,
        );
        const { payload, payloadBase64 } = shown;
        const request = publishRequestSchema.parse({
          topic: 'a',
          ...(payloadBase64 === undefined ? { payload } : { payloadBase64 }),
        });
        expect(payloadBase64Of(request)).toBe(Buffer.from(given.payload).toString('base64'));
      }),
    );
  });
});
