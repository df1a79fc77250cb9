// What a device declares its payload to be, and when that is not believed.
import { expect, test } from 'vitest';
import { requestBuilder } from '../../../bridge/handler/request.ts';
import { message } from '../../support/messages.ts';
import { requestFor, routeOf } from './routes.ts';

test.each([
  ['a CloudEvent of its own', 'application/cloudevents+json'],
  ['one in other letters', 'Application/CloudEvents-batch+JSON; a=b'],
  ['no media type', 'json'],
  ['a line break', 'text/plain\r\nx-evil: 1'],
  ['a parameter that is none', 'text/plain; charset'],
  ['an open quote', 'text/plain; a="b'],
  ['a letter that is not ASCII', 'text/plåin'],
  ['64 KB', `text/${'x'.repeat(65_000)}`],
  ['nothing', ''],
])('a device that declares %s has its payload looked at instead', (_, contentType) => {
  for (const format of ['raw', 'cloudevents-binary'] as const) {
    const build = requestBuilder(routeOf({ format }));
    const { headers } = requestFor(
      { request: build },
      message({ text: '{}', properties: { contentType } }),
    );
    expect(headers['content-type']).toBe('application/json');
  }
});
