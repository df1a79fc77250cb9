import { describe, expect, test } from 'vitest';
import { messageJson, messageSchema } from '../../../../functions/api/messages/representation.ts';
import { rawMembers } from '../../../../functions/contract/raw-json.ts';
import { anyMessage, message } from '../../../support/messages.ts';
import { fc } from '../../../support/property.ts';

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

  test('what it shows is the payload, byte for byte, also where JavaScript’s numbers would change it', () => {
    fc.assert(
      fc.property(anyMessage, (given) => {
        const text = messageJson(given);
        const shown = messageSchema.parse(JSON.parse(text));
        const members = new Map(rawMembers(text).map((member) => [member.name, member.text]));
        const raw = members.get('payload') ?? '';
        const bytes =
          shown.payloadBase64 !== undefined
            ? Buffer.from(shown.payloadBase64, 'base64')
            : Buffer.from(typeof shown.payload === 'string' ? shown.payload : raw);
        expect(Buffer.compare(bytes, given.payload)).toBe(0);
      }),
    );
  });
});
