import { describe, expect, test } from 'vitest';
import { expandTopic, publishRequestSchema } from '../../../functions/contract/command.ts';
import { parseWith } from '../../../functions/contract/parse.ts';
import { legalTopic } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';

describe('expandTopic', () => {
  const part = fc.constantFrom('{commandId}', '{topic}', '$&', '{', '}', 'a', '/');
  const template = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''));

  test('fills in every placeholder, and nothing that was filled in', () => {
    fc.assert(
      fc.property(template, fc.oneof(legalTopic, template), (text, topic) => {
        const withId = text.split('{commandId}').join('id-1');
        expect(expandTopic(text, 'id-1')).toBe(withId);
        expect(expandTopic(text, 'id-1', topic)).toBe(withId.split('{topic}').join(topic));
      }),
    );
  });
});

describe('a publish request', () => {
  test('has its defaults', () => {
    expect(parseWith(publishRequestSchema, { topic: 'a', payload: 'x' })).toEqual({
      ok: true,
      value: {
        topic: 'a',
        payload: 'x',
        qos: 1,
        retain: false,
        waitFor: 'broker',
        timeoutSeconds: 10,
      },
    });
  });

  const payload = 'x';
  test.each([
    [{ payload }, 'topic'],
    [{ topic: '', payload }, 'topic'],
    [{ topic: 'a/+', payload }, 'topic'],
    [{ topic: 'a/#', payload }, 'topic'],
    [{ topic: 'a\u0000', payload }, 'topic'],
    [{ topic: '\ud800', payload }, 'topic'],
    [{ topic: 'ü'.repeat(32_768), payload }, 'topic'],
    [{ topic: `${'x'.repeat(65_500)}{commandId}`, payload }, 'topic'],
    [{ topic: 7, payload }, 'topic'],
    [{ topic: 'a' }, 'payload'],
    [{ topic: 'a', payload: '\ud800' }, 'payload'],
    [{ topic: 'a', payload, payloadBase64: 'aGk=' }, 'payload'],
    [{ topic: 'a', payloadBase64: 'aGk' }, 'payloadBase64'],
    [{ topic: 'a', payloadBase64: '%%%%' }, 'payloadBase64'],
    [{ topic: 'a', payload, qos: 3 }, 'qos'],
    [{ topic: 'a', payload, qos: '1' }, 'qos'],
    [{ topic: 'a', payload, qos: -1 }, 'qos'],
    [{ topic: 'a', payload, retain: 'yes' }, 'retain'],
    [{ topic: 'a', payload, expirySeconds: 2 ** 32 }, 'expirySeconds'],
    [{ topic: 'a', payload, expirySeconds: 0 }, 'expirySeconds'],
    [{ topic: 'a', payload, timeoutSeconds: 26 }, 'timeoutSeconds'],
    [{ topic: 'a', payload, waitFor: 'ever' }, 'waitFor'],
    [{ topic: 'a', payload, responseTopic: 'b/+' }, 'responseTopic'],
    [
      { topic: 'a', payload, waitFor: 'reply', correlationDataBase64: 'eA==' },
      'correlationDataBase64',
    ],
    [{ topic: 'a', payload, userProperties: [['a']] }, 'userProperties.0'],
    [{ topic: 'a', payload, userProperties: [['a', '\u0000']] }, 'userProperties.0.1'],
    [{ topic: 'a', payload, contentType: '\ud800' }, 'contentType'],
    [{ topic: 'a', payload, colour: 'red' }, 'colour'],
    [[], ''],
    ['text', ''],
    [null, ''],
  ])('%j is refused', (input, field) => {
    const parsed = parseWith(publishRequestSchema, input);
    expect(parsed.ok ? [] : parsed.faults.map((fault) => fault.field)).toContain(field);
  });
});
