// The trace that a handler gets with each request: the device's own, or one that begins at the bridge.
import { expect, test } from 'vitest';
import { requestFormats } from '../../../bridge/config/handler.ts';
import { traceContextIn } from '../../../functions/contract/trace-context.ts';
import { startConsumer } from '../../support/consumer.ts';
import { message } from '../../support/messages.ts';
import { openSink, send } from './routes.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const traced = () =>
  message({
    properties: {
      userProperties: [
        ['traceparent', traceparent],
        ['tracestate', 'a=1'],
      ],
    },
  });
const isTraceparent = (text: unknown) =>
  traceContextIn(message({ properties: { userProperties: [['traceparent', String(text)]] } })) !==
  undefined;

test.each(requestFormats)('%s begins a trace where the device gives none', async (format) => {
  const consumer = await startConsumer();
  const sink = await openSink({ url: consumer.url, format });
  const [one, other] = [message(), message()];
  for (const each of [one, one, other]) await send(sink, each);
  const [first, again, last] = consumer.consumed.map(({ headers }) => headers['traceparent']);
  expect([first, again, last].map(isTraceparent)).toEqual([true, true, true]);
  expect(first).not.toBe(last);
  // A message keeps its trace over all tries; a batch is cut again for each.
  if (format !== 'cloudevents-batch') expect(again).toBe(first);
});

test.each(requestFormats)('%s passes on the trace of the device', async (format) => {
  const consumer = await startConsumer();
  await send(await openSink({ url: consumer.url, format }), traced());
  const [got] = consumer.consumed;
  const body = String(got?.body);
  const expected = { traceparent, tracestate: 'a=1' };
  if (format !== 'cloudevents-batch') expect(got?.headers).toMatchObject(expected);
  if (format === 'cloudevents-binary')
    expect(got?.headers).toMatchObject({ 'ce-traceparent': traceparent, 'ce-tracestate': 'a=1' });
  if (format === 'cloudevents') expect(JSON.parse(body)).toMatchObject(expected);
  if (format === 'cloudevents-batch') {
    expect(JSON.parse(body)).toMatchObject([expected]);
    expect(isTraceparent(got?.headers['traceparent'])).toBe(true);
    expect(got?.headers['traceparent']).not.toBe(traceparent);
  }
});
