import { describe, expect, test } from 'vitest';
import {
  cloudEventJson,
  cloudEventSchema,
  prefersCloudEvents,
} from '../../../../functions/api/messages/cloud-events.ts';
import { anyMessage, message } from '../../../support/messages.ts';
import { fc } from '../../../support/property.ts';

/** The bytes of the payload, as a reader of the event's text finds them. */
function payloadIn(text: string): Buffer {
  const event = JSON.parse(text);
  if (event.data_base64 !== undefined) return Buffer.from(event.data_base64, 'base64');
  if (event.datacontenttype !== 'application/json') return Buffer.from(event.data, 'utf8');
  const start = text.indexOf('"data":', text.indexOf('"datacontenttype":"application/json"'));
  return Buffer.from(text.slice(start + '"data":'.length, -1), 'utf8');
}

test('every message makes a valid event, with its payload byte for byte', () => {
  fc.assert(
    fc.property(anyMessage, (given) => {
      const text = cloudEventJson(given);
      const event = cloudEventSchema.parse(JSON.parse(text));
      expect(event).toMatchObject({ id: given.id, subject: given.topic, time: given.time });
      expect(Buffer.compare(payloadIn(text), given.payload)).toBe(0);
      for (const name of Object.keys(event)) expect(name).toMatch(/^[a-z0-9]{1,20}$|^data_base64$/);
    }),
  );
});

describe('the data of', () => {
  test.each([
    ['{"a": 1}', undefined, '"datacontenttype":"application/json","data":{"a": 1}'],
    ['9007199254740993', undefined, '"datacontenttype":"application/json","data":9007199254740993'],
    ['1e400', undefined, '"data":1e400'],
    ['hello', undefined, '"datacontenttype":"text/plain","data":"hello"'],
    ['"text"', undefined, '"datacontenttype":"text/plain","data":"\\"text\\""'],
    ['<p>', 'text/html', '"datacontenttype":"text/html","data":"<p>"'],
    ['{', 'application/json', '"datacontenttype":"text/plain","data":"{"'],
    ['{', 'application/geo+json; v=1', '"datacontenttype":"text/plain","data":"{"'],
    ['hello', 'no media type', '"datacontenttype":"text/plain","data":"hello"'],
    ['', undefined, '"datacontenttype":"text/plain","data":""'],
  ])('%s declared as %s', (text, contentType, member) => {
    const properties = contentType === undefined ? {} : { contentType };
    expect(cloudEventJson(message({ text, properties }))).toContain(member);
  });

  test('bytes is base64, under the type that the device declared', () => {
    const payload = Buffer.from([0xff]);
    expect(cloudEventJson(message({ payload }))).toContain(
      '"datacontenttype":"application/octet-stream","data_base64":"/w=="',
    );
    const declared = message({ payload, properties: { contentType: 'image/png' } });
    expect(cloudEventJson(declared)).toContain('"datacontenttype":"image/png"');
  });
});

test.each([
  [undefined, false],
  ['', false],
  ['*/*', false],
  ['application/*', false],
  ['text/html', false],
  ['application/json', false],
  ['application/cloudevents+json', false],
  ['application/cloudevents-batch+json', true],
  ['Application/CloudEvents-Batch+JSON', true],
  ['application/cloudevents-batch+json; charset=utf-8, */*;q=0.1', true],
  ['application/cloudevents-batch+json;q=0', false],
  ['application/json, application/cloudevents-batch+json;q=0.9', false],
  ['application/json;q=0.5, application/cloudevents-batch+json;q=0.9', true],
  [`${'a,'.repeat(5000)}b`, false],
  [';;,,;q=,"', false],
])('Accept: %s asks for CloudEvents: %s', (accept, expected) => {
  expect(prefersCloudEvents(accept)).toBe(expected);
});
